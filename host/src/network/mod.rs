//! Networks: names become locators here. Pure: no IO and no clock.

mod name;

pub use name::{MAX_NAME, Network};
