//! In the command: what it does for the process with the plugin in it. What comes from there is as little to be believed as the plugin.

use bitboot_conformance::Noise;
use bitboot_plugin_api::ffi::outside::Reads;
use serde_json::Value;

use super::job::{Answer, Asked, Job, setting};
use crate::error::Result;

/// What may be asked of the command: what a host reads for this plugin by the same rules, and the noise of the test's own set-up.
#[derive(Debug)]
pub(super) struct World {
    plugin: String,
    reads: Vec<String>,
    /// Of both backends of the test.
    configs: [Value; 2],
    noise: Option<Noise>,
}

impl World {
    pub(super) fn of(job: &Job) -> Result<Self> {
        let subject = job.as_typed()?;
        Ok(Self {
            plugin: job.plugin.clone(),
            reads: job.asks.reads.clone(),
            configs: subject.configs().map(Clone::clone),
            noise: subject.noise().cloned(),
        })
    }

    /// Blocks: it reads a file, or waits for a command.
    pub(super) fn answer(&self, asked: &Asked) -> Answer {
        match asked {
            Asked::Read { what, set } => Answer::Read(self.read(what, set.as_deref())),
            Asked::Noise { locator, bytes } => {
                let put = self.noise.as_ref().map(|noise| noise.put(locator, bytes));
                Answer::Noise(put.and_then(Result::err).map(|error| error.to_string()))
            }
        }
    }

    /// Only what a setting of the test names is read, whatever the plugin says that it names.
    fn read(&self, what: &str, set: Option<&str>) -> bitboot_plugin_api::Result<Option<Vec<u8>>> {
        let none = Value::Null;
        let config = self.configs.iter().find(|config| setting(what, config) == set).unwrap_or(&none);
        Reads::new(&self.plugin, &self.reads, config).read(what)
    }
}

#[cfg(test)]
mod tests {
    use bitboot_plugin_api::ErrorKind;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_test_did_not_set_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            std::fs::write(folder.path().join(name), name).unwrap();
            folder.path().join(name).display().to_string()
        };
        let (cookie, second, other) = (file("cookie"), file("second"), file("other"));
        let world = World {
            plugin: "demo".into(),
            reads: vec!["config.cookie".into()],
            configs: [json!({ "cookie": cookie, "other": other }), json!({ "cookie": second })],
            noise: None,
        };
        let read = |what, set: &str| world.read(what, Some(set));
        assert_eq!(read("config.cookie", &cookie).unwrap().unwrap(), b"cookie");
        assert_eq!(read("config.cookie", &second).unwrap().unwrap(), b"second");
        assert_eq!(read("config.cookie", &other).unwrap(), None);
        assert_eq!(read("config.cookie", "/etc/hostname").unwrap(), None);
        for (what, set) in [("config.other", other.as_str()), ("env.HOME", ""), ("/etc/hostname", "")] {
            assert_eq!(read(what, set).unwrap_err().kind, ErrorKind::Refused, "{what}");
        }
    }
}
