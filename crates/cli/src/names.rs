//! Host names in a static binary: from `/etc/hosts` and DNS, whatever the machine's `nsswitch.conf` asks for.
//!
//! glibc (2.34 and later) has both sources built in. Any other it would load from the machine's shared libraries, which
//! belong to another libc than the one linked here.

/// Before the first look-up, and before any other thread.
#[cfg(all(target_feature = "crt-static", target_env = "gnu"))]
pub(crate) fn resolve_without_plugins() {
    use std::ffi::{c_char, c_int};
    #[expect(unsafe_code, reason = "glibc has no other door to its name service switch")]
    unsafe extern "C" {
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    #[expect(unsafe_code, reason = "both arguments are constant C strings")]
    // SAFETY: called from `main` before any thread exists; glibc copies both strings.
    let failed = unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
    debug_assert_eq!(failed, 0, "glibc knows these two sources");
}

#[cfg(not(all(target_feature = "crt-static", target_env = "gnu")))]
pub(crate) fn resolve_without_plugins() {}
