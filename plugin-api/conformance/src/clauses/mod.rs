//! The clauses of the contract, each a function named for what it states.

mod calls;
mod content;
mod cost;
mod identity;
mod listening;
mod registers;
mod spending;
mod strain;
mod trip;

use std::future::Future;
use std::pin::Pin;

use crate::bench::Bench;
use crate::check::Told;

/// One clause.
pub(crate) struct Clause {
    pub(crate) name: &'static str,
    pub(crate) put: for<'a> fn(&'a Bench) -> Pin<Box<dyn Future<Output = Told> + 'a>>,
}

macro_rules! clauses {
    ($($file:ident { $($name:ident)+ })+) => {
        &[$($(Clause { name: stringify!($name), put: |bench| Box::pin($file::$name(bench)) }),+),+]
    };
}

/// All of them, in the order in which they are tried: the last ones count what the others have left behind.
pub(crate) const ALL: &[Clause] = clauses! {
    identity {
        manifest_is_complete
        manifest_and_plugin_agree
        unknown_kind_is_unsupported
        config_schema_is_an_object
        unknown_config_key_is_refused
        actions_are_described
        caps_are_plausible
    }
    calls {
        nothing_works_before_open
        opening_twice_is_refused
        unknown_operation_is_unsupported
        unknown_action_is_unsupported
        garbage_is_an_error
        deadline_is_kept
    }
    trip {
        unknown_locator_finds_nothing
        announced_peer_is_found
        many_peers_are_found
        announcing_again_does_not_duplicate
        limit_does_no_harm
        withdrawn_peer_is_gone
        locator_of_any_length_does_no_harm
        watching_tells_of_new_peers
    }
    content {
        nothing_to_announce_is_refused
        foreign_address_is_not_published_as_ours
        ipv6_is_carried_or_refused
        dns_name_is_carried_or_refused
        value_is_carried_or_refused
        oversize_value_is_refused
        health_is_told_or_unsupported
        saving_works
    }
    registers {
        registers_are_there_or_unsupported
        written_register_is_read
        registers_are_replaced_in_turn
        stale_write_replaces_nothing_newer
        racing_writers_end_with_one_value
        oversize_or_odd_register_is_refused
        many_registers_work_at_once
    }
    spending {
        quote_is_given
        suite_runs_where_nothing_is_lost
        quote_covers_the_cost
        manifest_asks_for_the_keys_that_sign
    }
    listening {
        stopped_call_ends
        cancelled_call_lets_go
        slow_listener_loses_nothing
        parallel_lookups_all_answer
        ended_call_is_not_running
    }
    strain {
        odd_values_cause_no_panic
        flood_of_calls_is_survived
        noise_of_strangers_is_passed_over
    }
    cost {
        calls_leave_nothing_behind
        closed_backends_leave_nothing_behind
    }
};
