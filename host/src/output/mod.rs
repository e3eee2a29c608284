//! The only place that prints: results to stdout, talk to stderr.

mod cells;
mod escape;
mod line;
mod paint;
mod row;
mod screen;
mod talk;

pub(crate) use escape::escape;
pub(crate) use line::millis;
pub(crate) use line::{
    AnnouncedLine, BackendLine, ErrorLine, FindingLine, HealthLine, Line, NetworkLine, OutputLine, PeerLine,
    PluginLine, ReceiptLine, SummaryLine, schema,
};
pub(crate) use paint::ColorChoice;
pub(crate) use screen::{Closed, Mode, Screen};
