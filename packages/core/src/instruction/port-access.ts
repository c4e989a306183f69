// Access to ports: who may (SDM, "I/O Permission Bit Map"), who answers, and which plugins hear of it first. A port that
// nobody answers reads as ones and swallows what is written.
import type { Outcome } from '../event/outcome.js';
import { breakpointsOnPort } from '../interrupt/debug-status.js';
import { GP } from '../interrupt/exceptions.js';
import { ACCESS } from '../memory/segmentation.js';
import { asSupervisor, loadLinear } from '../memory/system-access.js';
import type { PortRange } from '../plugin/define.js';
import type { Cpu } from '../state/cpu.js';
import type { FaultRow } from './define.js';
import type { Operand } from './operand.js';
import { operandAt } from './privilege.js';

type PortBytes = 1 | 2 | 4;

const IOPL_SHIFT = 12n;
const iopl = (cpu: Cpu): number => Number((cpu.RFLAGS.value >> IOPL_SHIFT) & 3n);

/** Offset of the bit map's base in the TSS; TSS of types 9 and 11 have one. */
const IO_MAP_BASE = 102n;
const TSS_32_OR_64 = 9n;

/** Whether the TSS's bit map allows every port of an access (SDM, "I/O Permission Bit Map"). */
function mapAllows(cpu: Cpu, port: number, bytes: PortBytes): boolean {
  const [attributes, base, limit] = [cpu.read('TR.attributes'), cpu.read('TR.base'), cpu.read('TR.limit')];
  if (
    (attributes & BigInt(ACCESS.unusable)) !== 0n ||
    (attributes & TSS_32_OR_64) !== TSS_32_OR_64 ||
    limit < IO_MAP_BASE + 1n
  )
    return false;
  return asSupervisor(cpu, () => {
    const first = loadLinear(cpu, base + IO_MAP_BASE, 2) + BigInt(port >> 3);
    if (first + 1n > limit) return false; // two bytes are read, whatever the port's bit
    const bits = Number(loadLinear(cpu, base + first, 2)) >> (port & 7);
    return (bits & ((1 << bytes) - 1)) === 0;
  });
}

const bytesOf = (operand: Operand): PortBytes => (operand.width === 8 ? 1 : operand.width === 16 ? 2 : 4);

/** Input has the port second, output first; the other operand is the accumulator or memory. */
export function portPermission(mnemonic: string, portIndex: 0 | 1): FaultRow {
  return {
    id: `core.${mnemonic.toLowerCase()}.permission`,
    fields: ['RFLAGS', 'SS.attributes', 'TR.base', 'TR.limit'],
    when: (cpu, operands) => {
      const restricted = cpu.mode === 'virtual-8086' || (cpu.CR0.PE && cpu.CPL > iopl(cpu));
      const data = operandAt(operands, 1 - portIndex);
      return restricted && !mapAllows(cpu, portOf(operands, portIndex), bytesOf(data));
    },
    raise: GP(0),
    precedesIntercepts: true,
    explain: 'A port needs CPL at or below RFLAGS.IOPL, or clear bits for it in the I/O permission bit map of the TSS.',
  };
}

const portOf = (operands: readonly Operand[], index: 0 | 1): number =>
  Number(operandAt(operands, index).read() & 0xffffn);

/** Which range answers. */
function rangeOf(cpu: Cpu, port: number): PortRange | undefined {
  return cpu.definition.ports.find(({ first, last }) => port >= first && port <= last);
}

const ONES = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff } as const;

type Access = Parameters<Cpu['definition']['intercepts']['portAccess'][number]>[1];

function intercepted(cpu: Cpu, access: Access): Outcome | undefined {
  for (const intercept of cpu.definition.intercepts.portAccess) {
    const taken = intercept(cpu, access);
    if (taken !== undefined) return taken;
  }
  return undefined;
}

const meetBreakpoints = (cpu: Cpu, port: number, bytes: PortBytes): void =>
  cpu.draft.runner.singleStepping.meet(breakpointsOnPort(cpu, port, bytes));

/** From the port, the second operand, to the first one. An outcome is that of a plugin that took the access. */
export function inputFromPort(cpu: Cpu, operands: readonly Operand[]): Outcome | undefined {
  const data = operandAt(operands, 0);
  const [port, bytes] = [portOf(operands, 1), bytesOf(data)];
  const taken = intercepted(cpu, { port, bytes, write: false });
  if (taken !== undefined) return taken;
  meetBreakpoints(cpu, port, bytes);
  data.write(BigInt((rangeOf(cpu, port)?.read?.(cpu, port, bytes) ?? ONES[bytes]) >>> 0));
  return undefined;
}

/** From the second operand to the port, the first one. */
export function outputToPort(cpu: Cpu, operands: readonly Operand[]): Outcome | undefined {
  const data = operandAt(operands, 1);
  const [port, bytes] = [portOf(operands, 0), bytesOf(data)];
  const value = Number(data.read() & BigInt(ONES[bytes]));
  const taken = intercepted(cpu, { port, bytes, write: true, value });
  if (taken !== undefined) return taken;
  meetBreakpoints(cpu, port, bytes);
  rangeOf(cpu, port)?.write?.(cpu, port, value, bytes);
  return undefined;
}
