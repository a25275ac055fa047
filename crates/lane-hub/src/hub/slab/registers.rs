//! The registers of what a signal interrupted, by processor.

use corosensei::trap::TrapHandlerRegs;

/// Where the interrupted code's stack had come to.
#[cfg(target_arch = "x86_64")]
pub(super) fn stack_pointer(context: &libc::ucontext_t) -> usize {
    context.uc_mcontext.gregs[libc::REG_RSP as usize] as usize
}

/// Makes the interrupted code go on with `set`.
#[cfg(target_arch = "x86_64")]
pub(super) fn set(context: &mut libc::ucontext_t, set: TrapHandlerRegs) {
    let TrapHandlerRegs { rip, rsp, rbp, rdi, rsi } = set;
    let registers = &mut context.uc_mcontext.gregs;
    registers[libc::REG_RIP as usize] = rip as i64;
    registers[libc::REG_RSP as usize] = rsp as i64;
    registers[libc::REG_RBP as usize] = rbp as i64;
    registers[libc::REG_RDI as usize] = rdi as i64;
    registers[libc::REG_RSI as usize] = rsi as i64;
}

/// Where the interrupted code's stack had come to.
#[cfg(target_arch = "aarch64")]
pub(super) fn stack_pointer(context: &libc::ucontext_t) -> usize {
    context.uc_mcontext.sp as usize
}

/// Makes the interrupted code go on with `set`.
#[cfg(target_arch = "aarch64")]
pub(super) fn set(context: &mut libc::ucontext_t, set: TrapHandlerRegs) {
    let TrapHandlerRegs { pc, sp, x0, x1, x29, lr } = set;
    let registers = &mut context.uc_mcontext;
    registers.pc = pc;
    registers.sp = sp;
    registers.regs[0] = x0;
    registers.regs[1] = x1;
    registers.regs[29] = x29;
    registers.regs[30] = lr;
}
