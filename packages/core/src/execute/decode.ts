// iced-x86 behind our own operand types: bytes to a decoded instruction. Nothing else in core knows iced-x86 but the
// disassembler (execute/disassemble.ts).
import {
  CpuidFeature,
  Decoder,
  DecoderError,
  DecoderOptions,
  type Instruction,
  MemorySizeExt,
  Mnemonic,
  OpKind,
  Register,
  RegisterExt,
} from 'iced-x86';
import type { SegmentName } from '../expression/nodes.js';

/** Bits of the code segment: the default operand and address sizes. */
export type CodeWidth = 16 | 32 | 64;

/** The most bytes that an instruction has. */
export const LONGEST_INSTRUCTION = 15;

/** LOCK, REPNE, REP, the six segment overrides, operand size, address size. */
const LEGACY_PREFIXES = new Set([0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67]);

/** What kind of register an operand names. */
type RegisterClass = 'general' | 'segment' | 'control' | 'debug' | 'vector' | 'mmx' | 'other';

export interface DecodedRegister {
  readonly kind: 'register';
  /** As printed: `EAX`, `CR4`, `DS`. */
  readonly name: string;
  readonly class: RegisterClass;
  readonly width: number;
  /** Number within the class; AH, CH, DH, BH have 0 to 3 and `high`. */
  readonly index: number;
  readonly high: boolean;
}
interface DecodedImmediate {
  readonly kind: 'immediate';
  readonly width: 8 | 16 | 32 | 64;
  /** Sign-extended to the width where the encoding says so. Near branches: the target. */
  readonly value: bigint;
}
export interface DecodedMemory {
  readonly kind: 'memory';
  /** Bits; 0 where the operand has no size (LEA, INVLPG). */
  readonly width: number;
  readonly segment: SegmentName;
  readonly addressWidth: CodeWidth;
  readonly base: DecodedRegister | undefined;
  readonly index: DecodedRegister | undefined;
  readonly scale: 1 | 2 | 4 | 8;
  /** RIP-relative addresses are resolved: the displacement is the address. */
  readonly displacement: bigint;
}
interface DecodedFar {
  readonly kind: 'far';
  readonly width: 16 | 32;
  readonly selector: number;
  readonly offset: number;
}
export type DecodedOperand = DecodedRegister | DecodedImmediate | DecodedMemory | DecodedFar;

/** One instruction at an address. */
export interface Decoded {
  /** The key of its declaration: see ExpressionInstruction.mnemonic. */
  readonly mnemonic: string;
  readonly length: number;
  readonly codeWidth: CodeWidth;
  /** Effective operand size; the default of the mode for instructions that have none. */
  readonly operandWidth: CodeWidth;
  readonly addressWidth: CodeWidth;
  readonly operands: readonly DecodedOperand[];
  readonly lock: boolean;
  readonly repeat: 'none' | 'rep' | 'repne';
  /** RIP at its first byte. */
  readonly address: bigint;
  /** CPUID features as iced-x86 names them: all of them must be there, else #UD. */
  readonly features: readonly string[];
  /** As FOP holds it: bits 2:0 of the first byte and the ModR/M byte of an x87 instruction; 0 for others. */
  readonly x87Opcode: number;
}

/** Why bytes are no instruction. */
export type Undecoded = 'invalid' | 'tooLong' | 'needsMoreBytes';

/** Decodes one instruction after the other from the same bytes. */
export class InstructionStream {
  readonly #decoder: Decoder;
  readonly #codeWidth: CodeWidth;
  readonly #bytes: Uint8Array;
  readonly #available: number;

  /** `bytes` start at RIP `address`. Call `end` when done. */
  constructor(bytes: Uint8Array, codeWidth: CodeWidth, address: bigint) {
    this.#decoder = new Decoder(codeWidth, bytes, DecoderOptions.None);
    this.#decoder.ip = address;
    this.#codeWidth = codeWidth;
    this.#bytes = bytes;
    this.#available = bytes.length;
  }

  /** The next instruction, or why there is none. */
  next(): Decoded | Undecoded {
    const start = this.#decoder.position;
    const instruction = this.#decoder.decode();
    try {
      if (!instruction.isInvalid) return decodedOf(instruction, this.#codeWidth, this.#bytes.subarray(start));
      if (this.#decoder.lastError === DecoderError.NoMoreBytes && this.#available - start < LONGEST_INSTRUCTION)
        return 'needsMoreBytes';
      return instruction.length >= LONGEST_INSTRUCTION && this.#exceedsLimit(start) ? 'tooLong' : 'invalid';
    } finally {
      instruction.free();
    }
  }

  /**
   * iced-x86 says the same of an undefined opcode at byte 15 and of an instruction that goes on after it. Only repeated
   * prefixes make an instruction so long: if it decodes without them, its length was what is wrong.
   */
  #exceedsLimit(start: number): boolean {
    const rest = this.#bytes.subarray(start);
    const prefixes = rest.findIndex((byte) => !LEGACY_PREFIXES.has(byte));
    if (prefixes < 0 || prefixes >= LONGEST_INSTRUCTION) return true;
    const kept = [...new Set(rest.subarray(0, prefixes))];
    const shorter = new Decoder(
      this.#codeWidth,
      Uint8Array.from([...kept, ...rest.subarray(prefixes)]),
      DecoderOptions.None,
    );
    const instruction = shorter.decode();
    try {
      return !instruction.isInvalid;
    } finally {
      instruction.free();
      shorter.free();
    }
  }

  /** Gives the decoder's memory back. */
  end(): void {
    this.#decoder.free();
  }
}

const FIRST_ESCAPE = 0xd8;
const LAST_ESCAPE = 0xdf;

/** Prefixes, REX among them, are none of the escape bytes D8H to DFH. */
function x87OpcodeOf(bytes: Uint8Array): number {
  const at = bytes.findIndex((byte) => byte >= FIRST_ESCAPE && byte <= LAST_ESCAPE);
  return (((bytes[at] ?? 0) & 7) << 8) | (bytes[at + 1] ?? 0);
}

/** Of the instructions on shadow stacks these are NOPs where there are none. Software asks so whether it has one. */
const READS_SHADOW_STACK_POINTER = new Set([Mnemonic.Rdsspd, Mnemonic.Rdsspq]);

function decodedOf(instruction: Instruction, codeWidth: CodeWidth, bytes: Uint8Array): Decoded {
  const { opCode } = instruction;
  const operands =
    instruction.opCount === 0 && opCode.addressSize !== 0
      ? [impliedOperand(instruction, opCode.addressSize as CodeWidth)]
      : Array.from({ length: instruction.opCount }, (_, index) => operandOf(instruction, index, codeWidth));
  const operandWidth = (opCode.operandSize || (codeWidth === 16 ? 16 : 32)) as CodeWidth;
  const addressWidth = (opCode.addressSize || codeWidth) as CodeWidth; // of LOOP, which has no memory operand
  opCode.free();
  const features = READS_SHADOW_STACK_POINTER.has(instruction.mnemonic)
    ? []
    : Array.from(instruction.cpuidFeatures(), (feature) => CpuidFeature[feature] ?? '');
  return {
    mnemonic: keyOf(instruction, operands),
    length: instruction.length,
    codeWidth,
    operandWidth,
    addressWidth: operands.find((operand) => operand.kind === 'memory')?.addressWidth ?? addressWidth,
    operands,
    lock: instruction.hasLockPrefix,
    repeat: instruction.hasRepnePrefix ? 'repne' : instruction.hasRepPrefix ? 'rep' : 'none',
    address: instruction.ip,
    features,
    x87Opcode: features.some((feature) => feature.startsWith('FPU')) ? x87OpcodeOf(bytes) : 0,
  };
}

/** VMLOAD rAX, MONITOR, CLZERO: the manuals write the operand, of the address size, that iced-x86 takes for implied. */
function impliedOperand(instruction: Instruction, width: CodeWidth): DecodedOperand {
  const base = registerOf(width === 16 ? Register.AX : width === 32 ? Register.EAX : Register.RAX);
  if (!IN_MEMORY.has(instruction.mnemonic)) return base; // a physical address
  const segment = instruction.segmentPrefix === Register.None ? 'DS' : Register[instruction.segmentPrefix];
  return {
    kind: 'memory',
    width: 8,
    segment: segment as SegmentName,
    addressWidth: width,
    base,
    index: undefined,
    scale: 1,
    displacement: 0n,
  };
}

const IN_MEMORY = new Set([Mnemonic.Monitor, Mnemonic.Monitorx, Mnemonic.Clzero]);

const FAR_SUFFIX = new Set(['JMP', 'CALL']);
const CLASS_SUFFIX: Readonly<Partial<Record<RegisterClass, string>>> = {
  control: 'CR',
  debug: 'DR',
  segment: 'Sreg',
  vector: 'xmm',
};
const SPLIT_BY_CLASS = new Set(['MOV', 'PUSH', 'POP', 'MOVSD', 'CMPSD']);

function keyOf(instruction: Instruction, operands: readonly DecodedOperand[]): string {
  const mnemonic = (Mnemonic[instruction.mnemonic] ?? '').toUpperCase();
  if (FAR_SUFFIX.has(mnemonic) && (operands[0]?.kind === 'far' || isFarPointer(instruction))) return `${mnemonic} far`;
  if (operands.some((operand) => operand.kind === 'register' && operand.class === 'mmx')) return `${mnemonic} mm`;
  if (!SPLIT_BY_CLASS.has(mnemonic)) return mnemonic;
  const special = operands.find((operand) => operand.kind === 'register' && operand.class !== 'general') as
    | DecodedRegister
    | undefined;
  const suffix = special && CLASS_SUFFIX[special.class];
  return suffix === undefined ? mnemonic : `${mnemonic} ${suffix}`;
}

function isFarPointer(instruction: Instruction): boolean {
  return instruction.opKind(0) === OpKind.Memory && (instruction.isJmpFarIndirect || instruction.isCallFarIndirect);
}

type OperandReader = (instruction: Instruction, operand: number, codeWidth: CodeWidth) => DecodedOperand;

const immediateOf =
  (width: DecodedImmediate['width']): OperandReader =>
  (instruction, operand) => ({
    kind: 'immediate',
    width,
    value: BigInt.asUintN(width, instruction.immediate(operand)),
  });
const target: OperandReader = (instruction) => ({ kind: 'immediate', width: 64, value: instruction.nearBranchTarget });
const far =
  (width: DecodedFar['width']): OperandReader =>
  (instruction) => ({
    kind: 'far',
    width,
    selector: instruction.farBranchSelector,
    offset: width === 16 ? instruction.farBranch16 : instruction.farBranch32,
  });
const stringSource =
  (index: 6 | 7, addressWidth: CodeWidth): OperandReader =>
  (instruction) =>
    stringOperand(instruction, index, addressWidth, Register[instruction.memorySegment] as SegmentName);
const stringDestination =
  (addressWidth: CodeWidth): OperandReader =>
  (instruction) =>
    stringOperand(instruction, 7, addressWidth, 'ES');

function stringOperand(
  instruction: Instruction,
  index: number,
  addressWidth: CodeWidth,
  segment: SegmentName,
): DecodedMemory {
  const base: DecodedRegister = {
    kind: 'register',
    name: '',
    class: 'general',
    width: addressWidth,
    index,
    high: false,
  };
  return {
    kind: 'memory',
    width: MemorySizeExt.size(instruction.memorySize) * 8,
    segment,
    addressWidth,
    base,
    index: undefined,
    scale: 1,
    displacement: 0n,
  };
}

const READERS: Readonly<Record<OpKind, OperandReader>> = {
  [OpKind.Register]: (instruction, operand) => registerOf(instruction.opRegister(operand)),
  [OpKind.NearBranch16]: target,
  [OpKind.NearBranch32]: target,
  [OpKind.NearBranch64]: target,
  [OpKind.FarBranch16]: far(16),
  [OpKind.FarBranch32]: far(32),
  [OpKind.Immediate8]: immediateOf(8),
  [OpKind.Immediate8_2nd]: immediateOf(8),
  [OpKind.Immediate16]: immediateOf(16),
  [OpKind.Immediate32]: immediateOf(32),
  [OpKind.Immediate64]: immediateOf(64),
  [OpKind.Immediate8to16]: immediateOf(16),
  [OpKind.Immediate8to32]: immediateOf(32),
  [OpKind.Immediate8to64]: immediateOf(64),
  [OpKind.Immediate32to64]: immediateOf(64),
  [OpKind.MemorySegSI]: stringSource(6, 16),
  [OpKind.MemorySegESI]: stringSource(6, 32),
  [OpKind.MemorySegRSI]: stringSource(6, 64),
  [OpKind.MemorySegDI]: stringSource(7, 16),
  [OpKind.MemorySegEDI]: stringSource(7, 32),
  [OpKind.MemorySegRDI]: stringSource(7, 64),
  [OpKind.MemoryESDI]: stringDestination(16),
  [OpKind.MemoryESEDI]: stringDestination(32),
  [OpKind.MemoryESRDI]: stringDestination(64),
  [OpKind.Memory]: memoryOf,
};

function operandOf(instruction: Instruction, operand: number, codeWidth: CodeWidth): DecodedOperand {
  return READERS[instruction.opKind(operand)](instruction, operand, codeWidth);
}

function memoryOf(instruction: Instruction, _operand: number, codeWidth: CodeWidth): DecodedMemory {
  const { memoryBase, memoryIndex } = instruction;
  const relative = memoryBase === Register.RIP || memoryBase === Register.EIP;
  const base = memoryBase === Register.None || relative ? undefined : registerOf(memoryBase);
  const index = memoryIndex === Register.None ? undefined : registerOf(memoryIndex);
  const addressWidth = addressWidthOf(instruction, base ?? index, codeWidth);
  return {
    kind: 'memory',
    width: MemorySizeExt.size(instruction.memorySize) * 8,
    segment: Register[instruction.memorySegment] as SegmentName,
    addressWidth,
    base,
    index,
    scale: instruction.memoryIndexScale as DecodedMemory['scale'],
    displacement: BigInt.asUintN(addressWidth, instruction.memoryDisplacement),
  };
}

/** The address size shows in the registers, in RIP or EIP, or in the size of a displacement alone. */
function addressWidthOf(
  instruction: Instruction,
  register: DecodedRegister | undefined,
  codeWidth: CodeWidth,
): CodeWidth {
  if (register !== undefined && register.width >= 16) return register.width as CodeWidth;
  if (instruction.memoryBase === Register.EIP) return 32;
  if (instruction.memoryDisplSize >= 2) return (instruction.memoryDisplSize * 8) as CodeWidth;
  return codeWidth;
}

const CLASSES: readonly (readonly [RegisterClass, (register: Register) => boolean])[] = [
  ['general', (register) => RegisterExt.isGPR(register)],
  ['segment', (register) => RegisterExt.isSegmentRegister(register)],
  ['control', (register) => RegisterExt.isCR(register)],
  ['debug', (register) => RegisterExt.isDR(register)],
  ['vector', (register) => RegisterExt.isVectorRegister(register)],
  ['mmx', (register) => RegisterExt.isMM(register)],
];

/** iced-x86 numbers the byte registers AL..BL 0 to 3, AH..BH 4 to 7, SPL..R15L 8 to 19; ours are those of the encoding. */
function indexOf(register: Register): number {
  const number = RegisterExt.number(register);
  if (RegisterExt.size(register) !== 1 || number < 4) return number;
  return number - 4;
}

const REGISTERS = new Map<Register, DecodedRegister>();

/** A register by iced-x86's number: made once each. */
function registerOf(register: Register): DecodedRegister {
  let decoded = REGISTERS.get(register);
  if (decoded === undefined) {
    const high = register >= Register.AH && register <= Register.BH;
    decoded = Object.freeze({
      kind: 'register',
      name: Register[register] ?? '',
      class: CLASSES.find(([, is]) => is(register))?.[0] ?? 'other',
      width: RegisterExt.size(register) * 8,
      index: indexOf(register),
      high,
    });
    REGISTERS.set(register, decoded);
  }
  return decoded;
}
