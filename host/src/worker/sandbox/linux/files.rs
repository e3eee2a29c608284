use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    Scope, make_bitflags, path_beneath_rules,
};

use super::Confine;

/// The version of Landlock whose rights are known here. An older kernel has fewer of them.
const KNOWN: ABI = ABI::V7;

/// What libraries, names of hosts, certificates and time need.
const READ: [&str; 9] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
];
/// The same, where `/etc` also holds what only the administrator may read and the process is the administrator's.
const READ_OF_ETC: [&str; 14] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/localtime",
    "/etc/ld.so.cache",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
];
/// Where `/etc/resolv.conf` may point to: the file there is replaced when the network changes, so a rule for itself would not last.
const RESOLVERS: [&str; 3] = ["/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager"];

/// Leaves this thread, and those that it starts, what is granted of files, TCP, signals and abstract sockets.
pub(super) fn restrict(confine: &Confine, library: &Path) -> Result<(), RulesetError> {
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let use_it = make_bitflags!(AccessFs::{
        ReadFile | ReadDir | WriteFile | RemoveDir | RemoveFile | MakeDir | MakeReg | Refer | Truncate
    });
    let etc: &[&str] = if rustix::process::geteuid().is_root() { &READ_OF_ETC } else { &["/etc"] };
    let mut ruleset =
        Ruleset::default().handle_access(AccessFs::from_all(KNOWN))?.scope(Scope::from_all(KNOWN))?;
    if let Some(refused) = refused_of_tcp(confine) {
        ruleset = ruleset.handle_access(refused)?;
    }
    let created = ruleset
        .create()?
        .add_rules(path_beneath_rules(READ.iter().chain(etc).chain(&RESOLVERS), read))?
        .add_rules(path_beneath_rules(["/dev/null"], make_bitflags!(AccessFs::{ReadFile | WriteFile})))?
        .add_rules(path_beneath_rules([library], read))?
        .add_rules(path_beneath_rules(&confine.files, use_it))?;
    created.restrict_self().map(drop)
}

fn refused_of_tcp(confine: &Confine) -> Option<BitFlags<AccessNet>> {
    match (confine.network, confine.listen) {
        (false, _) => Some(make_bitflags!(AccessNet::{BindTcp | ConnectTcp})),
        (true, false) => Some(AccessNet::BindTcp.into()),
        (true, true) => None,
    }
}
