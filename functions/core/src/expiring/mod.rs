//! Which copies are deleted now.
