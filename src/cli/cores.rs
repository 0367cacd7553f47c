//! No core files: one would hold every secret that is in memory.

use rustix::process::{Resource, Rlimit, setrlimit};

/// From here on a crash leaves none. Where the kernel hands cores to a program instead, it does not look at the limit
/// itself (core(5)), but systemd-coredump and apport do.
pub(super) fn none() {
    // Refused only by exotic sandboxes, which write no core files either.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
