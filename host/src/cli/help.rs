use super::context::Context;
use super::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::registry::nearest;

/// Explain a command or a topic
///
/// Topics: exit-codes, environment, formats, costs, keys, plugins, packages.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A command, such as `backend add`, or a topic
    words: Vec<String>,
}

const TOPICS: [(&str, &str); 7] = [
    ("exit-codes", include_str!("help/exit-codes.txt")),
    ("environment", include_str!("help/environment.txt")),
    ("formats", include_str!("help/formats.txt")),
    ("costs", include_str!("help/costs.txt")),
    ("keys", include_str!("help/keys.txt")),
    ("plugins", include_str!("help/plugins.txt")),
    ("packages", include_str!("help/packages.txt")),
];

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        if let [word] = self.words.as_slice()
            && let Some((_, text)) = TOPICS.iter().find(|(topic, _)| topic == word)
        {
            context.page(text)?;
            return Ok(Exit::OK);
        }
        let mut command = super::command();
        command.build();
        let mut described = &mut command;
        for word in &self.words {
            let known: Vec<String> =
                described.get_subcommands().map(|child| child.get_name().to_owned()).collect();
            described = match described.find_subcommand_mut(word) {
                Some(child) => child,
                None => return Err(unknown(word, &known)),
            };
        }
        context.raw(&described.render_long_help().to_string())?;
        Ok(Exit::OK)
    }
}

fn unknown(word: &str, commands: &[String]) -> Error {
    let error = Error::new(Kind::Usage, format!("there is no command or topic \"{word}\""));
    let topics = TOPICS.iter().map(|(topic, _)| *topic);
    match nearest(word, commands.iter().map(String::as_str).chain(topics.clone())) {
        Some(near) => error.fix(format!("did you mean \"{near}\"?")),
        None => error.fix(format!("topics are: {}", topics.collect::<Vec<_>>().join(", "))),
    }
}
