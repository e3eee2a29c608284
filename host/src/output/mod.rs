//! The only place that prints: results to stdout, talk to stderr.

mod ask;
mod cells;
mod checked;
mod escape;
mod line;
mod listed;
mod packages;
mod paint;
mod row;
mod screen;
pub(crate) mod stdout;
mod talk;
mod tested;
mod wrap;

pub(crate) use checked::{CheckedLine, ConfinementLine, FindingLine};
pub(crate) use escape::escape;
pub(crate) use line::millis;
pub(crate) use line::{ErrorLine, Line, PeerLine, ReceiptLine, SummaryLine, schema};
pub(crate) use listed::{
    AnnouncedLine, BackendLine, HealthLine, IdentityLine, KeyLine, NetworkLine, OutputLine, PluginLine,
    QuoteLine, SpentLine,
};
pub(crate) use packages::{ChangeLine, IndexLine, MadeLine, OfferLine, PublisherLine};
pub(crate) use paint::ColorChoice;
pub(crate) use screen::{Mode, Screen};
pub(crate) use stdout::divert as divert_stdout;
pub(crate) use tested::{ClauseLine, TestedLine};
