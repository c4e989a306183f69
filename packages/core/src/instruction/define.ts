// defineInstruction: the one declaration from which single steps, the fast path, events, origin tracking, intrinsics and
// the reference pages are derived. Two forms: an expression for what a compiler emits, a function for what changes the
// machine's mode or asks plugins. The function form declares `reads` and `writes`; the expression form has no need to.
import type { Outcome } from '../event/outcome.js';
import type { Effect, Expression } from '../expression/nodes.js';
import type { Raise } from '../interrupt/exceptions.js';
import type { Citation } from '../manual/citation.js';
import type { ProcessorProfile } from '../profile/profile.js';
import type { RuleTable } from '../rule/rule.js';
import { defineRules } from '../rule/rule.js';
import type { Cpu } from '../state/cpu.js';
import type { GuardedTransfer } from './fast-transfer.js';
import type { Operand } from './operand.js';

/** What the effect of an expression-form instruction is built from: made once for each decoded instruction. */
export interface EffectOperands {
  /** The explicit operands in encoding order; asking for one that is not there is an InternalError. */
  readonly dst: Expression;
  readonly src: Expression;
  readonly third: Expression;
  /** How many explicit operands there are: IMUL has forms of one, two and three, RET of none and one. */
  readonly operandCount: number;
  /** Bits: effective operand, address and stack sizes. */
  readonly operandWidth: 16 | 32 | 64;
  readonly addressWidth: 16 | 32 | 64;
  readonly stackWidth: 16 | 32 | 64;
  /** The repeat prefix: REPE and REPZ are encoded as REP. */
  readonly repeat: 'none' | 'rep' | 'repne';
  /** RIP of this instruction and of the next one, 64 bits wide. */
  readonly here: Expression;
  readonly next: Expression;
  /** The effective address of the memory operand, 64 bits wide: what LEA stores. */
  readonly address: Expression;
}

/** An instruction whose effect is an expression. */
export interface ExpressionInstruction {
  readonly form: 'expression';
  /**
   * iced-x86's mnemonic in capitals; where one mnemonic stands for several instructions of the manual, a word follows:
   * `MOV CR`, `MOV DR`, `MOV Sreg`, `PUSH Sreg`, `POP Sreg`, `JMP far`, `CALL far`, `MOVSD xmm`, and `PADDB mm`
   * for each form with an MMX register (execute/decode.ts).
   */
  readonly mnemonic: string;
  readonly manual: Citation;
  /** Accepts a LOCK prefix with a memory destination. */
  readonly lockable: boolean;
  readonly effect: (operands: EffectOperands) => Effect;
}

/** What a check of an instruction looks at. */
export interface Execution {
  readonly cpu: Cpu;
  readonly operands: readonly Operand[];
  /** Effective operand size in bits, for what no operand tells (IRET, RETF, PUSH Sreg); the mode's default for an intrinsic. */
  readonly operandWidth: 16 | 32 | 64;
}

/** What a violated check leads to: an exception, or an outcome that completes the instruction (VMfail). */
export type CheckResult = Raise | ((execution: Execution) => Outcome);

/** One slot of an intrinsic: given by the caller, handed back, or a register that its name fixes. */
export type IntrinsicOperand =
  | { readonly in: string; readonly width?: 8 | 16 | 32 | 64 }
  | { readonly out: true; readonly width?: 8 | 16 | 32 | 64 }
  | { readonly register: string };

/** How a function-form instruction is called like a compiler intrinsic. */
export interface IntrinsicShape {
  /** The explicit operands in encoding order. */
  readonly operands: readonly IntrinsicOperand[];
  /** Implicit register inputs (or `EDX:EAX`), given by the caller after the explicit ones and loaded first, as a compiler would. */
  readonly registers?: readonly string[];
  /** What is handed back when it is not an explicit operand: EDX:EAX of RDMSR. */
  readonly result?: (cpu: Cpu) => unknown;
}

/** An instruction whose effect is a function over the draft. */
export interface FunctionInstruction<
  Shapes extends Readonly<Record<string, IntrinsicShape>> = Readonly<Record<string, IntrinsicShape>>,
> {
  readonly form: 'function';
  readonly mnemonic: string;
  readonly manual: Citation;
  /** Locations, in the grammar of timeline/location.ts; a bit may be named: `CR4.VMXE`. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** 'unaffected', or what happens to the status flags in a few words. */
  readonly flags: string;
  /** Takes a repeat prefix: checks and effect are those of one iteration, which is a step. */
  readonly repeatable: boolean;
  /** In the manual's order; the first violated one decides. */
  readonly checks: RuleTable<Execution, CheckResult>;
  /** What the effect checks itself where all of those hold, in the order in which it does: for `why` alone. */
  readonly effectChecks: RuleTable<Execution, unknown>;
  /** How many of the checks have priority over interception by a plugin: #UD, privilege, permission. */
  readonly interceptedAfter: number;
  readonly intrinsics: Shapes;
  /** Nothing returned means completed. */
  readonly effect: (cpu: Cpu, operands: readonly Operand[], operandWidth: Execution['operandWidth']) => Outcome | void;
  readonly transfer?: TransferOf;
}

/** What generated code makes of the instruction in 64-bit code or in 32-bit code; undefined: it asks the reference path. */
type TransferOf = (mode64: boolean, vendor: ProcessorProfile['vendor']) => GuardedTransfer | undefined;

export type InstructionDefinition = ExpressionInstruction | FunctionInstruction;

/** A condition that raises an exception, written as the manual's pseudocode does. */
export interface FaultRow {
  readonly id: string;
  readonly when: (cpu: Cpu, operands: readonly Operand[]) => boolean;
  readonly raise: Raise;
  readonly explain: string;
  readonly fields?: readonly string[] | ((execution: Execution) => readonly string[]);
  readonly note?: string;
  /** The check is one of privilege or permission: it comes before a plugin may intercept, as those for #UD do. */
  readonly precedesIntercepts?: boolean;
}

interface ExpressionDeclaration {
  readonly mnemonic: string;
  readonly manual: Citation;
  readonly lockable?: boolean;
  /** Tells the two forms apart before the parameters of `effect` get their types. */
  readonly reads?: never;
  readonly effect: (operands: EffectOperands) => Effect;
}

interface FunctionDeclaration<Shapes extends Readonly<Record<string, IntrinsicShape>>> {
  readonly mnemonic: string;
  readonly manual: Citation;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly flags: string;
  readonly repeatable?: boolean;
  readonly faults?: readonly FaultRow[];
  readonly checks?: RuleTable<Execution, CheckResult>;
  readonly effectChecks?: RuleTable<Execution, unknown>;
  readonly intrinsics?: Shapes;
  readonly effect: (cpu: Cpu, operands: readonly Operand[], operandWidth: Execution['operandWidth']) => Outcome | void;
  /** For fast system calls, whose effect is data. */
  readonly transfer?: TransferOf;
}

/** Declares an instruction in the expression form. */
export function defineInstruction(declaration: ExpressionDeclaration): ExpressionInstruction;
/** Declares an instruction in the function form: it names what it reads and writes. */
export function defineInstruction<const Shapes extends Readonly<Record<string, IntrinsicShape>> = Record<never, never>>(
  declaration: FunctionDeclaration<Shapes>,
): FunctionInstruction<Shapes>;
export function defineInstruction(
  declaration: ExpressionDeclaration | FunctionDeclaration<Readonly<Record<string, IntrinsicShape>>>,
): InstructionDefinition {
  if (declaration.reads === undefined) return Object.freeze({ form: 'expression', lockable: false, ...declaration });
  const { faults = [], checks = [], effectChecks = [], intrinsics = {}, repeatable = false, ...rest } = declaration;
  const faultRules = defineRules<Execution, CheckResult>(
    declaration.manual,
    faults[0]?.raise ?? { kind: 'fault', vector: '#UD' },
    faults.map(faultRule),
  );
  const all = [...faultRules, ...checks];
  const interceptedAfter = all.findLastIndex(
    ({ result, precedesIntercepts }) => precedesIntercepts === true || isUndefinedOpcode(result),
  );
  return Object.freeze({
    form: 'function',
    ...rest,
    repeatable,
    checks: all,
    effectChecks,
    interceptedAfter: interceptedAfter + 1,
    intrinsics,
  });
}

const isUndefinedOpcode = (result: CheckResult): boolean => typeof result !== 'function' && result.vector === '#UD';

function faultRule({ id, when, raise, explain, fields, note, precedesIntercepts = false }: FaultRow) {
  return {
    id,
    precedesIntercepts,
    holds: ({ cpu, operands }: Execution) => !when(cpu, operands),
    result: raise,
    explain,
    ...(fields === undefined ? {} : { fields }),
    ...(note === undefined ? {} : { note }),
  };
}

type Inputs<Operands extends readonly IntrinsicOperand[]> = Operands extends readonly [
  infer Head,
  ...infer Tail extends readonly IntrinsicOperand[],
]
  ? Head extends { readonly in: string }
    ? [value: bigint | number, ...Inputs<Tail>]
    : Inputs<Tail>
  : [];
type RegisterInputs<Registers> = Registers extends readonly string[]
  ? { [Index in keyof Registers]: bigint | number }
  : [];

/** The methods that an instruction's intrinsics add to a processor. */
export type IntrinsicsOf<Definition> = Definition extends {
  readonly intrinsics: infer Shapes extends Readonly<Record<string, IntrinsicShape>>;
}
  ? {
      [Name in keyof Shapes]: (
        ...values: [...Inputs<Shapes[Name]['operands']>, ...RegisterInputs<Shapes[Name]['registers']>]
      ) => Outcome;
    }
  : never; // not unknown, which would swallow the others in a union of instructions
