//! Canary secrets: whatever a verb does, and however it fails, none of them is seen anywhere.

mod broken;
mod canary;
mod cores;
mod hostile;
mod misplaced;
mod scene;
mod serving;
mod unreachable;
mod well;
