/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The path of a kernel file as its process sees it, by walking dentries and mounts up to the process's root. */
#pragma once
#include "bpf_core.h"

enum {
	PATH_BYTES = 1024,  /* longer paths keep their end and are marked truncated */
	PATH_DEPTH = 48,    /* components and mount crossings */
	NAME_BYTES = 256,   /* NAME_MAX + 1 */
};

struct path_buffer {
	char bytes[PATH_BYTES + NAME_BYTES]; /* filled from the end; the surplus is for the verifier's sake */
	u32 offset;                          /* of the first byte; PATH_BYTES where empty */
	u32 truncated;
};

inline_always struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - __builtin_preserve_field_info(((struct mount *)0)->mnt, FIELD_BYTE_OFFSET);
}

/* Prepends `/name`; 0 where no room is left. */
inline_always int prepend(struct path_buffer *buffer, struct dentry *dentry)
{
	u32 length = READ(dentry, d_name.len);
	const unsigned char *name = READ(dentry, d_name.name);
	u32 offset = buffer->offset;
	if (length > NAME_BYTES - 1)
		length = NAME_BYTES - 1;
	if (offset < length + 1 || offset > PATH_BYTES) {
		buffer->truncated = 1;
		return 0;
	}
	offset -= length;
	barrier_var(length);
	barrier_var(offset);
	bpf_probe_read_kernel(&buffer->bytes[offset & (PATH_BYTES - 1)], length & (NAME_BYTES - 1), name);
	offset -= 1;
	barrier_var(offset);
	buffer->bytes[offset & (PATH_BYTES - 1)] = '/';
	buffer->offset = offset & (PATH_BYTES - 1);
	return 1;
}

/* Not inlined: three callers, and the verifier proves it once per call site's state. */
inline_always void walk_path(struct path_buffer *buffer, struct path *path, struct task_struct *task)
{
	struct fs_struct *fs = READ(task, fs);
	struct dentry *root = READ(fs, root.dentry);
	struct vfsmount *root_mnt = READ(fs, root.mnt);
	struct dentry *dentry = READ(path, dentry);
	struct vfsmount *mnt = READ(path, mnt);
	buffer->offset = PATH_BYTES;
	buffer->truncated = 0;
	for (int depth = 0; depth < PATH_DEPTH; depth++) {
		if (dentry == root && mnt == root_mnt)
			return;
		struct mount *mount = mount_of(mnt);
		struct dentry *parent = READ(dentry, d_parent);
		if (dentry == READ(mnt, mnt_root)) {
			struct mount *above = READ(mount, mnt_parent);
			if (above != mount) {
				dentry = READ(mount, mnt_mountpoint);
				mnt = (void *)above + __builtin_preserve_field_info(((struct mount *)0)->mnt, FIELD_BYTE_OFFSET);
				continue;
			}
		}
		if (parent == dentry) {
			/* The file system's own root; a nameless file such as a memfd is its own root and has a name. */
			if (depth == 0)
				prepend(buffer, dentry);
			return;
		}
		if (!prepend(buffer, dentry))
			return;
		dentry = parent;
	}
	buffer->truncated = 1;
}
