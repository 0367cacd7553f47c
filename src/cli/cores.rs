//! No core files: one would hold every secret that is in memory.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// From here on a crash leaves none. The limit alone does not hold where the kernel hands cores to a program (core(5)),
/// so the process says that it is not to be dumped; nobody but root may then look into its memory or environment.
pub(super) fn none() {
    // Refused only by exotic sandboxes, which write no core files either.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
