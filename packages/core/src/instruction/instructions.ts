// One flat table: the instructions of the base machine, in the order of the SDM's groups.
import { POPA, PUSHA } from './all-registers-on-stack.js';
import { ADC, ADCX, ADD, ADOX, CMP, DEC, INC, NEG, SBB, SUB } from './binary-arithmetic.js';
import { BSF, BSR, BT, BTC, BTR, BTS, LZCNT, POPCNT, SETCC, TEST, TZCNT } from './bit-and-byte.js';
import { CRC32, PDEP, PEXT } from './bit-deposit.js';
import { ANDN, BEXTR, BLSI, BLSMSK, BLSR, BZHI, FLAGLESS_SHIFTS, MULX, RORX } from './bit-manipulation.js';
import { BOUND } from './bound.js';
import { CLTS, LMSW, MOV_CR, SMSW } from './control-register.js';
import { CALL, JCC, JMP, JUMPS_ON_COUNTER, LOOPS, RET } from './control-transfer.js';
import { CPUID } from './cpuid.js';
import {
  ACCUMULATOR_EXTENSIONS,
  BSWAP,
  CMOVCC,
  CMPXCHG,
  CMPXCHG8B,
  CMPXCHG16B,
  EXTENDING_MOVES,
  HINTED_STORES,
  MOV,
  MOVBE,
  SIGN_SPREADS,
  XADD,
  XCHG,
} from './data-transfer.js';
import { MOV_DR } from './debug-register.js';
import { AAA, AAD, AAM, AAS, DAA, DAS } from './decimal-arithmetic.js';
import type { InstructionDefinition } from './define.js';
import { ARPL, DESCRIPTOR_LOADS, VERIFY } from './descriptor-query.js';
import { LGDT, LIDT, LLDT, LTR, STORE_SELECTOR, STORE_TABLE } from './descriptor-table-register.js';
import { SHLD, SHRD } from './double-shift.js';
import { XGETBV, XSETBV } from './extended-control-register.js';
import { FAR_POINTER_LOADS } from './far-pointer-load.js';
import { CALL_FAR, JMP_FAR, RETF } from './far-transfer.js';
import { SYSCALL, SYSRET, SYSRETQ } from './fast-system-call.js';
import { FLAG_ASSIGNMENTS, LAHF, SAHF } from './flag-control.js';
import { POPF, PUSHF } from './flags-on-stack.js';
import { CLI, STI } from './interrupt-flag.js';
import { IRET } from './interrupt-return.js';
import { INVPCID } from './invalidate-process-context.js';
import { IN, OUT, STRING_IO } from './io.js';
import { AND, NOT, OR, XOR } from './logical.js';
import { LEA, NO_OPERATIONS, SALC, UNDEFINED, XLATB } from './miscellaneous.js';
import { MMX_INSTRUCTIONS } from './mmx/instructions.js';
import { MONITOR, MWAIT } from './monitor.js';
import { RDMSR, WRMSR } from './msr.js';
import { DIV, IDIV, IMUL, MUL } from './multiply-and-divide.js';
import { RDPMC } from './performance-counter.js';
import { RDPKRU, WRPKRU } from './protection-key.js';
import { RANDOM_NUMBERS } from './random-number.js';
import { FSGSBASE, MOV_SREG, POP_SREG, PUSH_SREG, SWAPGS } from './segment-register.js';
import { LEFT_SHIFTS, RCL, RCR, ROL, ROR, SAR, SHR } from './shift-and-rotate.js';
import { INT, INT1, INT3, INTO } from './software-interrupt.js';
import { LDMXCSR, MASKMOVDQU, STMXCSR } from './sse/control-and-status.js';
import { VECTOR_MOVES } from './sse/data-movement.js';
import { FLOATING_POINT } from './sse/floating-point.js';
import { FXRSTOR, FXSAVE } from './sse/fxsave.js';
import { PACKED_INTEGER } from './sse/packed-integer.js';
import { STRING_COMPARISONS } from './sse/string-comparison.js';
import { XRSTOR, XSAVE } from './sse/xsave.js';
import { LEAVE, POP, PUSH } from './stack.js';
import { ENTER } from './stack-frame.js';
import { STRING_INSTRUCTIONS } from './string.js';
import { ALIGNMENT_CHECK_FLAG, CACHE_LINE, CLZERO, HLT, INVLPG, PAUSE, RSM, WHOLE_CACHE } from './system.js';
import { SYSENTER, SYSEXIT } from './system-enter.js';
import { RDPID, RDTSC, RDTSCP } from './time-stamp.js';
import { X87_INSTRUCTIONS } from './x87/instructions.js';

/** Every instruction that core models, once. A mnemonic that is not here stops the machine with a typed error. */
export const BASE_INSTRUCTIONS = [
  // Data Transfer Instructions
  MOV,
  ...CMOVCC,
  XCHG,
  BSWAP,
  XADD,
  CMPXCHG,
  CMPXCHG8B,
  CMPXCHG16B,
  PUSH,
  POP,
  ...PUSHA,
  ...POPA,
  ...ACCUMULATOR_EXTENSIONS,
  ...SIGN_SPREADS,
  ...EXTENDING_MOVES,
  MOVBE,
  ...HINTED_STORES,
  // Binary Arithmetic Instructions
  ADCX,
  ADOX,
  ADD,
  ADC,
  SUB,
  SBB,
  IMUL,
  MUL,
  IDIV,
  DIV,
  INC,
  DEC,
  NEG,
  CMP,
  // Decimal Arithmetic Instructions
  DAA,
  DAS,
  AAA,
  AAS,
  AAM,
  AAD,
  // Logical Instructions
  AND,
  OR,
  XOR,
  NOT,
  // Shift and Rotate Instructions
  SAR,
  SHR,
  ...LEFT_SHIFTS,
  SHRD,
  SHLD,
  ROR,
  ROL,
  RCR,
  RCL,
  // Bit and Byte Instructions
  BT,
  BTS,
  BTR,
  BTC,
  BSF,
  BSR,
  ...SETCC,
  TEST,
  CRC32,
  POPCNT,
  // Control Transfer Instructions
  JMP,
  JMP_FAR,
  ...JCC,
  ...JUMPS_ON_COUNTER,
  ...LOOPS,
  CALL,
  CALL_FAR,
  RET,
  RETF,
  ...IRET,
  INT,
  INTO,
  INT3,
  INT1,
  BOUND,
  ENTER,
  LEAVE,
  // String Instructions
  ...STRING_INSTRUCTIONS,
  // I/O Instructions
  IN,
  OUT,
  ...STRING_IO,
  // Flag Control (EFLAG) Instructions
  ...FLAG_ASSIGNMENTS,
  LAHF,
  SAHF,
  ...PUSHF,
  ...POPF,
  STI,
  CLI,
  ...ALIGNMENT_CHECK_FLAG,
  // Segment Register Instructions
  MOV_SREG,
  PUSH_SREG,
  POP_SREG,
  ...FAR_POINTER_LOADS,
  SWAPGS,
  ...FSGSBASE,
  // Miscellaneous Instructions
  LEA,
  ...NO_OPERATIONS,
  ...UNDEFINED,
  SALC,
  XLATB,
  CPUID,
  ...CACHE_LINE,
  CLZERO,
  ...RANDOM_NUMBERS,
  // Bit Manipulation Instructions 1 and 2
  ANDN,
  BEXTR,
  BLSI,
  BLSMSK,
  BLSR,
  BZHI,
  LZCNT,
  MULX,
  PDEP,
  PEXT,
  RORX,
  ...FLAGLESS_SHIFTS,
  TZCNT,
  // x87 FPU Instructions
  ...X87_INSTRUCTIONS,
  // MMX Instructions
  ...MMX_INSTRUCTIONS,
  // SSE Instructions to SSE4.2, AESNI and PCLMULQDQ
  ...VECTOR_MOVES,
  ...PACKED_INTEGER,
  ...FLOATING_POINT,
  ...STRING_COMPARISONS,
  LDMXCSR,
  MASKMOVDQU,
  STMXCSR,
  ...FXSAVE,
  ...FXRSTOR,
  ...XSAVE,
  ...XRSTOR,
  // System Instructions
  LGDT,
  LLDT,
  LTR,
  LIDT,
  ...STORE_TABLE,
  ...STORE_SELECTOR,
  ARPL,
  ...DESCRIPTOR_LOADS,
  ...VERIFY,
  MOV_CR,
  LMSW,
  SMSW,
  CLTS,
  MOV_DR,
  HLT,
  PAUSE,
  ...WHOLE_CACHE,
  INVLPG,
  INVPCID,
  RSM,
  RDMSR,
  WRMSR,
  RDPKRU,
  RDPMC,
  RDTSC,
  RDTSCP,
  RDPID,
  SYSCALL,
  SYSRET,
  SYSRETQ,
  SYSENTER,
  ...SYSEXIT,
  WRPKRU,
  XGETBV,
  XSETBV,
  MONITOR,
  MWAIT,
] as const satisfies readonly InstructionDefinition[];

/**
 * Those with intrinsics, named once more: in a list with spreads the compiler drops types that a more general one covers,
 * and their intrinsics with them.
 */
export type InstructionWithIntrinsics =
  | typeof CLI
  | typeof CPUID
  | typeof HLT
  | typeof IN
  | typeof INVLPG
  | typeof INVPCID
  | typeof LGDT
  | typeof LIDT
  | typeof MOV_CR
  | typeof OUT
  | typeof RDMSR
  | typeof RDPKRU
  | typeof RDPMC
  | typeof RDTSC
  | typeof RDTSCP
  | typeof STI
  | typeof WRMSR
  | typeof WRPKRU
  | typeof XGETBV
  | typeof XSETBV;
