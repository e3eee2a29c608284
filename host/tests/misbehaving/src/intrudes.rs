use std::fs;
use std::io;
use std::net::{TcpListener, ToSocketAddrs, UdpSocket};
use std::path::PathBuf;
use std::process::Command;

use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Error, Found, Health, Host, Query, Receipt, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// Tries in `health` what no plugin has any business to do, and tells what came of it: each thing as a fact, `done` or `refused`.
pub(crate) struct Intrudes(IntrudesConfig);

/// Where it tries.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IntrudesConfig {
    /// A file of the user's, not granted.
    file: String,
    /// A socket of another program of the user's.
    socket: String,
    /// A folder, granted by the manifest.
    folder: Option<String>,
}

impl Backend for Intrudes {
    const KIND: &'static str = "intrudes";
    type Config = IntrudesConfig;

    async fn open(config: IntrudesConfig, _host: Host) -> Result<Self> {
        Ok(Self(config))
    }

    fn caps(&self) -> Caps {
        memory::caps()
    }

    async fn announce(&self, _what: Announcement, _cx: Cx) -> Result<Receipt> {
        Err(Error::unsupported("this one only intrudes"))
    }

    async fn lookup(&self, _query: Query, _found: Found) -> Result<()> {
        Ok(())
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        let config = &self.0;
        let mut tried = vec![
            ("read a file", fs::read(&config.file).map(drop)),
            ("list a folder", fs::read_dir("/").map(drop)),
            ("write a file", fs::write(format!("{}.mine", config.file), "mine")),
            ("read shadow", fs::read("/etc/shadow").map(drop)),
            ("read another process", fs::read("/proc/1/environ").map(drop)),
            ("run a program", Command::new("/bin/true").status().map(drop)),
            ("listen on TCP", TcpListener::bind("127.0.0.1:0").map(drop)),
            ("use UDP", UdpSocket::bind("127.0.0.1:0").map(drop)),
            ("resolve a name", ("localhost", 80).to_socket_addrs().map(drop)),
            ("look at the environment", environment()),
        ];
        if let Some(folder) = &config.folder {
            tried.push(("write where it may", fs::write(PathBuf::from(folder).join("mine"), "mine")));
        }
        #[cfg(unix)]
        tried.push((
            "reach a local socket",
            std::os::unix::net::UnixStream::connect(&config.socket).map(drop),
        ));
        #[cfg(target_os = "linux")]
        tried.extend(linux::all());
        let mut health = Health::new(true, "it tried");
        for (what, came_of_it) in tried {
            let fact = came_of_it.map_or_else(|error| format!("refused: {error}"), |()| "done".into());
            health = health.with_fact(what, &fact);
        }
        Ok(health)
    }
}

/// Whether there is anything to see.
fn environment() -> io::Result<()> {
    let seen = std::env::vars_os()
        .map(|(name, _)| name)
        .find(|name| !["XDG_RUNTIME_DIR", "TMPDIR"].iter().any(|known| name == known));
    seen.map(drop).ok_or_else(|| io::Error::other("it is empty"))
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "that is how it intrudes")]
mod linux {
    use std::io;

    pub(super) fn all() -> Vec<(&'static str, io::Result<()>)> {
        // SAFETY: each call takes numbers and constants only; none writes into memory of this process.
        unsafe {
            let parent = libc::getppid();
            vec![
                ("trace the host", told(libc::ptrace(libc::PTRACE_SEIZE, parent, 0, 0))),
                ("signal the host", told(libc::kill(parent, 0).into())),
                ("open the host", told(libc::syscall(libc::SYS_pidfd_open, parent, 0))),
                ("become a process", fork()),
                ("reach the kernel keyring", told(libc::syscall(libc::SYS_keyctl, 0, -3, 1))),
                ("listen without binding", listen()),
                ("reach an abstract socket", told(libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM, 0).into())),
                ("see the network's insides", told(libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, 0).into())),
                (
                    "send raw packets",
                    told(libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP).into()),
                ),
                ("use io_uring", uring()),
                ("share memory with others", share()),
                ("queue messages for others", queue()),
                ("keep memory in files", told(libc::syscall(libc::SYS_memfd_create, c"mine".as_ptr(), 0))),
                ("share memory uncounted", map(libc::MAP_SHARED)),
                ("take a stack uncounted", map(libc::MAP_PRIVATE | libc::MAP_GROWSDOWN)),
                ("have somebody signalled", told(libc::fcntl(0, libc::F_SETOWN, parent).into())),
                ("make a namespace", told(libc::syscall(libc::SYS_unshare, libc::CLONE_NEWNET))),
                ("outlive the host", told(libc::prctl(libc::PR_SET_PDEATHSIG, 0).into())),
                ("raise its limits", raise()),
            ]
        }
    }

    /// -1 is a refusal. A descriptor that it got is left open.
    fn told(answer: i64) -> io::Result<()> {
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    unsafe fn fork() -> io::Result<()> {
        // SAFETY: the copy ends at once.
        unsafe {
            match libc::fork() {
                0 => libc::_exit(0),
                answer => told(answer.into()),
            }
        }
    }

    unsafe fn listen() -> io::Result<()> {
        // SAFETY: takes numbers.
        unsafe { told(libc::listen(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0), 1).into()) }
    }

    unsafe fn uring() -> io::Result<()> {
        let mut parameters = [0_u64; 15];
        // SAFETY: `io_uring_params` has 120 bytes.
        unsafe { told(libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr())) }
    }

    unsafe fn share() -> io::Result<()> {
        // SAFETY: takes numbers. What it made goes again.
        unsafe {
            let made = libc::shmget(libc::IPC_PRIVATE, 4096, 0o600);
            let came_of_it = told(made.into());
            libc::shmctl(made, libc::IPC_RMID, std::ptr::null_mut());
            came_of_it
        }
    }

    unsafe fn queue() -> io::Result<()> {
        // SAFETY: takes numbers. What it made goes again.
        unsafe {
            let made = libc::msgget(libc::IPC_PRIVATE, 0o600);
            let came_of_it = told(made.into());
            libc::msgctl(made, libc::IPC_RMID, std::ptr::null_mut());
            came_of_it
        }
    }

    unsafe fn map(how: libc::c_int) -> io::Result<()> {
        let how = how | libc::MAP_ANONYMOUS;
        // SAFETY: the kernel chooses a place where nothing lies.
        let mapped = unsafe { libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, how, -1, 0) };
        if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    unsafe fn raise() -> io::Result<()> {
        let all = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: reads the structure.
        unsafe { told(libc::setrlimit(libc::RLIMIT_DATA, &raw const all).into()) }
    }
}
