use std::collections::BTreeMap;
use std::io;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::Confine;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Refused whatever the arguments: programs, other processes, what the user's processes share, memory that no limit counts, keys of the kernel, and
/// what only systems need.
const REFUSED: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_tkill,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive,
    libc::SYS_mq_notify,
    libc::SYS_mq_getsetattr,
    libc::SYS_memfd_create,
    MEMFD_SECRET,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_personality,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// The same on all machines; `libc` has it not for each.
const MEMFD_SECRET: c_long = 447;

/// As if the kernel did not have them, so that libraries do without: `clone3` hides its flags from a filter, `io_uring` does everything else.
const MISSING: &[c_long] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Refuses for this thread, and those that it starts, what a plugin has no use for. On machines that the filter does not know: nothing.
pub(super) fn refuse(confine: &Confine) -> io::Result<()> {
    let Ok(machine) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(()) };
    let rules = refused(confine).map_err(io::Error::other)?;
    apply(rules, libc::EPERM, machine)?;
    apply(MISSING.iter().map(|call| (*call, Vec::new())).collect(), libc::ENOSYS, machine)
}

fn apply(rules: Rules, error: i32, machine: TargetArch) -> io::Result<()> {
    let error = SeccompAction::Errno(error.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, error, machine).map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    match apply_filter(&program) {
        // A kernel without it: found out by measuring.
        Err(seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error))
            if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) =>
        {
            Ok(())
        }
        applied => applied.map_err(io::Error::other),
    }
}

fn refused(confine: &Confine) -> Result<Rules, BackendError> {
    let ourselves = u64::from(std::process::id());
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_socket, sockets(confine)?);
    if !confine.listen {
        // Binding is left to Landlock; a socket can listen without being bound.
        rules.insert(libc::SYS_listen, Vec::new());
    }
    // Threads are made by this, processes and namespaces as well.
    rules.insert(libc::SYS_clone, processes()?);
    for call in [libc::SYS_kill, libc::SYS_tgkill] {
        rules.insert(call, vec![rule(&[is_not(0, ourselves)?])?]);
    }
    // Of itself it may ask, by either name.
    rules.insert(libc::SYS_prlimit64, vec![rule(&[is_not(0, 0)?, is_not(0, ourselves)?])?]);
    rules
        .insert(libc::SYS_prctl, vec![rule(&[is(0, PR_SET_PDEATHSIG)?])?, rule(&[is(0, PR_SET_DUMPABLE)?])?]);
    let one_of =
        |asked: &[u64]| asked.iter().map(|asked| rule(&[is(1, *asked)?])).collect::<Result<Vec<_>, _>>();
    rules.insert(libc::SYS_ioctl, one_of(&[TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP])?);
    rules.insert(libc::SYS_fcntl, one_of(&[F_SETOWN, F_SETSIG, F_SETOWN_EX])?);
    rules.insert(libc::SYS_mmap, uncounted_memory()?);
    #[cfg(target_arch = "x86_64")]
    refuse_x32(&mut rules);
    Ok(rules)
}

const PR_SET_PDEATHSIG: u64 = 1;
const PR_SET_DUMPABLE: u64 = 4;
/// Both type into a terminal.
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;
/// All of them let the kernel send a signal to somebody.
const FIOSETOWN: u64 = 0x8901;
const SIOCSPGRP: u64 = 0x8902;
const F_SETOWN: u64 = 8;
const F_SETSIG: u64 = 10;
const F_SETOWN_EX: u64 = 15;

/// IP only, and nothing below UDP and TCP: the rest reaches D-Bus, the keyring behind it, and the machine's insides.
fn sockets(confine: &Confine) -> Result<Vec<SeccompRule>, BackendError> {
    const TYPE: u64 = 0xf;
    const RAW: u64 = 3;
    const PACKET: u64 = 10;
    if !confine.network {
        return Ok(Vec::new());
    }
    let of_type =
        |sort| SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(TYPE), sort);
    let [ip, ip6] = [libc::AF_INET, libc::AF_INET6].map(|family| u64::from(family.unsigned_abs()));
    Ok(vec![rule(&[is_not(0, ip)?, is_not(0, ip6)?])?, rule(&[of_type(RAW)?])?, rule(&[of_type(PACKET)?])?])
}

/// Mappings that are no data, says the kernel, so that the limit of memory leaves them out: without a file and shared, and such as grow like a stack.
fn uncounted_memory() -> Result<Vec<SeccompRule>, BackendError> {
    let [sort, shared, nameless, grows] =
        [libc::MAP_TYPE, libc::MAP_SHARED, libc::MAP_ANONYMOUS, libc::MAP_GROWSDOWN]
            .map(|flag| u64::from(flag.unsigned_abs()));
    let flags =
        |mask, value| SeccompCondition::new(3, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value);
    Ok(vec![rule(&[flags(sort | nameless, shared | nameless)?])?, rule(&[flags(grows, grows)?])?])
}

/// Whatever is no thread of this process, and every new namespace.
fn processes() -> Result<Vec<SeccompRule>, BackendError> {
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let flag =
        |mask, value| SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(mask), value);
    let mut rules = vec![rule(&[flag(thread, 0)?])?];
    for namespace in [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ] {
        let bit = u64::from(namespace.unsigned_abs());
        rules.push(rule(&[flag(bit, bit)?])?);
    }
    Ok(rules)
}

/// The same calls have other numbers in the x32 form of this machine, which a kernel may have and no plugin uses.
#[cfg(target_arch = "x86_64")]
fn refuse_x32(rules: &mut Rules) {
    const X32: i64 = 0x4000_0000;
    let ours = rules.keys().copied().chain(MISSING.iter().copied()).collect::<Vec<_>>();
    // Those have numbers of their own there.
    for call in ours.into_iter().chain(512..=547) {
        rules.insert(X32 | call, Vec::new());
    }
}

fn is(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn is_not(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn rule(conditions: &[SeccompCondition]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.to_vec())
}
