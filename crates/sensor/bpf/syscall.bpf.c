/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The one hook behind every system call: finds the few that matter by number and hands them to their family. */
#include "maps.h"
#include "open.bpf.c"
#include "socket.bpf.c"

enum syscall_name { CALL_OTHER, CALL_OPEN, CALL_CREAT, CALL_OPENAT, CALL_OPENAT2, CALL_CONNECT };
struct call {
	enum syscall_name name;
	u64 arguments[4];
};

#if defined(__TARGET_ARCH_x86)
enum { COMPAT_STATUS = 2, X32_BIT = 0x40000000 };

/* ia32 numbers from arch/x86/entry/syscalls: without them `int 0x80` would pass unseen. */
inline_always enum syscall_name compat_name(u32 number)
{
	switch (number) {
	case 5: return CALL_OPEN;
	case 8: return CALL_CREAT;
	case 295: return CALL_OPENAT;
	case 437: return CALL_OPENAT2;
	case 362: return CALL_CONNECT;
	default: return CALL_OTHER;
	}
}

inline_always enum syscall_name native_name(u32 number)
{
	switch (number) {
	case 2: return CALL_OPEN;
	case 85: return CALL_CREAT;
	case 257: return CALL_OPENAT;
	case 437: return CALL_OPENAT2;
	case 42: return CALL_CONNECT;
	default: return CALL_OTHER;
	}
}

inline_always struct call call_of(struct pt_regs *regs, struct task_struct *task)
{
	struct call call = { .name = CALL_OTHER };
	u32 number = regs->orig_ax & ~X32_BIT;
	enum syscall_name native = native_name(number), compat = compat_name(number);
	if (native == CALL_OTHER && compat == CALL_OTHER)
		return call;
	if (READ(task, thread_info.status) & COMPAT_STATUS) {
		call.name = compat;
		call.arguments[0] = (u32)regs->bx;
		call.arguments[1] = (u32)regs->cx;
		call.arguments[2] = (u32)regs->dx;
		call.arguments[3] = (u32)regs->si;
	} else {
		call.name = native;
		call.arguments[0] = regs->di;
		call.arguments[1] = regs->si;
		call.arguments[2] = regs->dx;
		call.arguments[3] = regs->r10;
	}
	return call;
}
#else
inline_always struct call call_of(struct pt_regs *regs, struct task_struct *task)
{
	struct call call = { .name = CALL_OTHER };
	switch (READ(regs, syscallno)) {
	case 56: call.name = CALL_OPENAT; break;
	case 437: call.name = CALL_OPENAT2; break;
	case 203: call.name = CALL_CONNECT; break;
	default: return call;
	}
	struct user_pt_regs *user = (void *)regs;
	call.arguments[0] = READ(regs, orig_x0);
	call.arguments[1] = READ(user, regs[1]);
	call.arguments[2] = READ(user, regs[2]);
	call.arguments[3] = READ(user, regs[3]);
	return call;
}
#endif

SEC("tp_btf/sys_exit")
int on_syscall(u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	s64 result = ctx[1];
	struct task_struct *task = (void *)bpf_get_current_task();
	struct call call = call_of(regs, task);
	u32 flags = 0, mode = 0;
	if (call.name == CALL_OTHER)
		return 0;
	if (call.name == CALL_CONNECT) {
		on_connected(task, call.arguments[0], (void *)call.arguments[1], result);
		return 0;
	}
	if (result < 0)
		return 0;
	if (call.name == CALL_OPEN) {
		flags = call.arguments[1];
		mode = call.arguments[2];
	} else if (call.name == CALL_CREAT) {
		flags = OPEN_CREATE | OPEN_TRUNCATE;
		mode = call.arguments[1];
	} else if (call.name == CALL_OPENAT) {
		flags = call.arguments[2];
		mode = call.arguments[3];
	} else {
		u64 how[2] = {}; /* struct open_how: flags, mode */
		bpf_probe_read_user(how, sizeof(how), (void *)call.arguments[2]);
		flags = how[0];
		mode = how[1];
	}
	on_opened(task, result, call.name, flags, mode);
	return 0;
}
