//! The host's ends of a worker's pipes.

use std::io;
use std::process::{ChildStderr, ChildStdin, ChildStdout};

#[cfg(unix)]
mod ours {
    use std::os::fd::OwnedFd;

    use tokio::net::unix::pipe;

    use super::{ChildStderr, ChildStdin, ChildStdout, io};

    pub(in super::super) type Sender = pipe::Sender;
    pub(in super::super) type Receiver = pipe::Receiver;
    pub(in super::super) type Told = pipe::Receiver;

    pub(in super::super) fn sender(pipe: ChildStdin) -> io::Result<Sender> {
        pipe::Sender::from_owned_fd(OwnedFd::from(pipe))
    }

    pub(in super::super) fn receiver(pipe: ChildStdout) -> io::Result<Receiver> {
        let pipe = OwnedFd::from(pipe);
        // Fewer and larger pieces, where the user may have such a pipe.
        #[cfg(target_os = "linux")]
        let _ = rustix::pipe::fcntl_setpipe_size(&pipe, 1 << 20);
        pipe::Receiver::from_owned_fd(pipe)
    }

    pub(in super::super) fn told(pipe: ChildStderr) -> io::Result<Told> {
        pipe::Receiver::from_owned_fd(OwnedFd::from(pipe))
    }
}

#[cfg(not(unix))]
mod ours {
    use tokio::process;

    use super::{ChildStderr, ChildStdin, ChildStdout, io};

    pub(in super::super) type Sender = process::ChildStdin;
    pub(in super::super) type Receiver = process::ChildStdout;
    pub(in super::super) type Told = process::ChildStderr;

    pub(in super::super) fn sender(pipe: ChildStdin) -> io::Result<Sender> {
        Sender::from_std(pipe)
    }

    pub(in super::super) fn receiver(pipe: ChildStdout) -> io::Result<Receiver> {
        Receiver::from_std(pipe)
    }

    pub(in super::super) fn told(pipe: ChildStderr) -> io::Result<Told> {
        Told::from_std(pipe)
    }
}

pub(super) use ours::{Receiver, Sender, Told, receiver, sender, told};
