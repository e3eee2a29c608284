//! Never comes back from being loaded by the system. Never to be opened in the process of a test.

#[macro_use]
mod parts;

manifest!("sleeps_on_load.toml");
magic!(bitboot_plugin_api::ffi::Magic::current());
root!(include_str!("sleeps_on_load.toml"), Yes);

// Not in what `cargo test --examples` makes of this file, which is run.
#[cfg(not(test))]
#[used]
#[expect(unsafe_code, reason = "the system finds constructors by their section")]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(target_os = "windows", unsafe(link_section = ".CRT$XCU"))]
static CONSTRUCTOR: extern "C" fn() = sleep;

#[cfg(not(test))]
extern "C" fn sleep() {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}
