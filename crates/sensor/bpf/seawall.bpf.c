/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* One object of all families, so that they share maps without pinning them in a file system. */
#include "process.bpf.c"
#include "cgroup.bpf.c"
#include "syscall.bpf.c"

char dual_license[] SEC("license") = "GPL";
