// Looking at a state as a debugger does: bytes at linear addresses, the code at RIP, the stack. Nothing that is looked at
// changes, and no access is refused for its privilege; what no page maps is not there.
import { disassemble } from '../execute/disassemble.js';
import { GuestFault } from '../interrupt/exceptions.js';
import { loadLinear } from '../memory/system-access.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { Cpu } from '../state/cpu.js';
import { DraftHost } from '../state/draft-host.js';
import type { MachineState } from '../state/machine.js';
import { pagingContextOf } from '../state/paging-context.js';

/** An instruction in memory. */
export interface CodeLine {
  /** RIP of the instruction: an offset in CS. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A word on the stack. */
export interface StackWord {
  /** RSP at which it is the top: an offset in SS. */
  readonly address: bigint;
  readonly value: bigint;
  /** Bytes. */
  readonly width: 2 | 4 | 8;
}

/** Of a state: the processor whose paging and segments count. */
export interface Viewpoint {
  readonly definition: MachineDefinition;
  readonly state: MachineState;
  readonly processor: number;
}

const LONGEST_INSTRUCTION = 15;
const SS_BIG = 0x4000;

/** Bytes from a linear address on, up to the first that is not mapped. */
export function readLinear(from: Viewpoint, address: bigint, length: number): Uint8Array {
  return looking(from, (cpu) => bytesFrom(cpu, address, length));
}

/** Up to `count` instructions from RIP on, or from another offset in CS. */
export function codeAt(from: Viewpoint, count: number, start?: bigint): readonly CodeLine[] {
  return looking(from, (cpu) => {
    const { codeWidth } = cpu;
    const lines: CodeLine[] = [];
    let address = start ?? cpu.RIP;
    while (lines.length < count) {
      const linear = codeWidth === 64 ? address : BigInt.asUintN(32, cpu.read('CS.base') + address);
      const found = bytesFrom(cpu, linear, LONGEST_INSTRUCTION);
      if (found.length === 0) break;
      const { text, length } = disassemble(found, codeWidth, address);
      lines.push({ address, bytes: found.slice(0, length), text });
      address = BigInt.asUintN(codeWidth === 16 ? 32 : codeWidth, address + BigInt(length));
    }
    return lines;
  });
}

/** Up to `count` words from the top of the stack on, as wide as PUSH makes them. */
export function stackAt(from: Viewpoint, count: number): readonly StackWord[] {
  return looking(from, (cpu) => {
    const is64 = cpu.codeWidth === 64;
    const big = (Number(cpu.read('SS.attributes')) & SS_BIG) !== 0;
    const width = is64 ? 8 : cpu.codeWidth === 32 ? 4 : 2;
    const top = BigInt.asUintN(is64 ? 64 : big ? 32 : 16, cpu.RSP);
    const base = is64 ? 0n : cpu.read('SS.base');
    const bytes = bytesFrom(cpu, BigInt.asUintN(is64 ? 64 : 32, base + top), count * width);
    return Array.from({ length: Math.floor(bytes.length / width) }, (_, index) => ({
      address: top + BigInt(index * width),
      value: littleEndian(bytes.subarray(index * width, (index + 1) * width)),
      width,
    }));
  });
}

/** On a scratch draft: accessed flags that a page walk sets go away with it. */
function looking<Result>({ definition, state, processor }: Viewpoint, look: (cpu: Cpu) => Result): Result {
  const host = new DraftHost(definition, state);
  try {
    const draft = host.draft();
    const cpu = draft.activate(processor);
    draft.tlb.enter({ ...pagingContextOf(cpu), user: false, smap: false });
    return look(cpu);
  } finally {
    host.abandon();
  }
}

function bytesFrom(cpu: Cpu, address: bigint, length: number): Uint8Array {
  const bytes: number[] = [];
  try {
    while (bytes.length < length)
      bytes.push(Number(loadLinear(cpu, BigInt.asUintN(64, address + BigInt(bytes.length)), 1)));
  } catch (thrown) {
    if (!(thrown instanceof GuestFault)) throw thrown;
  }
  return Uint8Array.from(bytes);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
