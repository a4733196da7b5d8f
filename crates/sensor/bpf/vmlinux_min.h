/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The kernel types these programs read, with only the fields they read: every offset is relocated at load (CO-RE).
 * `___old` flavours name fields of kernels before a rename. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;

#define core __attribute__((preserve_access_index))

typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;
typedef struct { u64 val; } kernel_cap_t;
typedef struct { int counter; } atomic_t;

struct qstr {
	union {
		struct { u32 hash; u32 len; };
		u64 hash_len;
	};
	const unsigned char *name;
} core;

struct super_block { u32 s_dev; unsigned long s_magic; } core;

struct inode {
	u16 i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_nlink;
	u32 i_rdev;
	s64 i_ctime_sec;
	u32 i_ctime_nsec;
} core;

struct timespec64 { s64 tv_sec; long tv_nsec; } core;
struct inode___v6_6 { struct timespec64 __i_ctime; } core;
struct inode___old { struct timespec64 i_ctime; } core;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} core;

struct vfsmount { struct dentry *mnt_root; } core;
struct mount { struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct vfsmount mnt; } core;
struct path { struct vfsmount *mnt; struct dentry *dentry; } core;

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	void *private_data;
} core;

struct fdtable { unsigned int max_fds; struct file **fd; } core;
struct files_struct { struct fdtable *fdt; } core;
struct fs_struct { struct path root; struct path pwd; } core;

struct mm_struct { unsigned long arg_start; unsigned long arg_end; struct file *exe_file; } core;
struct linux_binprm { struct file *file; } core;

struct upid { int nr; } core;
struct pid { unsigned int level; struct upid numbers[1]; } core;

struct tty_struct { struct tty_struct *link; int index; } core;
struct tty_file_private { struct tty_struct *tty; } core;

/* Indexes of signal_struct.pids, `enum pid_type`. */
enum { PID_OF_GROUP = 1, PID_OF_SESSION = 3 };
struct signal_struct { atomic_t live; struct pid *pids[4]; struct tty_struct *tty; } core;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
} core;

struct kernfs_node { u64 id; } core;
struct cgroup_root { int hierarchy_id; } core;
struct cgroup { struct kernfs_node *kn; struct cgroup_root *root; } core;
struct css_set { struct cgroup *dfl_cgrp; } core;

struct thread_info { u32 status; unsigned long flags; } core;

struct task_struct {
	struct thread_info thread_info;
	int exit_code;
	int pid;
	int tgid;
	unsigned int flags;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct cred *cred;
	struct css_set *cgroups;
	u64 start_boottime;
	kuid_t loginuid;
	char comm[16];
} core;

struct in6_addr { union { u8 u6_addr8[16]; } in6_u; } core;
struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} core;
struct sock { struct sock_common __sk_common; u16 sk_protocol; u16 sk_type; } core;
struct socket { short type; struct sock *sk; } core;

struct bpf_iter_meta { void *seq; u64 session_id; u64 seq_num; } core;
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } core;

#if defined(__TARGET_ARCH_x86)
struct pt_regs { unsigned long r10, bx, cx, dx, si, di, orig_ax; } core;
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs { u64 regs[31]; } core;
struct pt_regs { u64 regs[31]; u64 orig_x0; s32 syscallno; } core;
#else
#error "no system call numbers for this architecture"
#endif
