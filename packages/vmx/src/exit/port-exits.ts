// SDM, "Instructions That Cause VM Exits Conditionally", IN, INS, OUT, OUTS: I/O bitmaps and the exit qualification.
import type { Cpu, InterceptedInstruction } from '@retrovisor/core';
import { Primary } from '../controls.js';
import { guestValue, isOn } from '../non-root/controls-in-use.js';
import type { VmExit } from './exit.js';
import { stringAddressing } from './instruction-information.js';

const PORTS_A_BITMAP = 0x8000;
const LAST_PORT = 0xffff;
/** Bits of the exit qualification. */
const QUALIFICATION = { in: 8, string: 16, rep: 32, immediate: 64 } as const;

/** An access to the ports of `bytes` bytes causes an exit. */
function isIntercepted(cpu: Cpu, port: number, bytes: number): boolean {
  if (!isOn(cpu, Primary['use I/O bitmaps'])) return isOn(cpu, Primary['unconditional I/O exiting']);
  for (let each = port; each < port + bytes; each++) {
    if (each > LAST_PORT) return true;
    const bitmap = guestValue(cpu, each < PORTS_A_BITMAP ? 'ioBitmapA' : 'ioBitmapB');
    const within = each % PORTS_A_BITMAP;
    const byte = Number(cpu.memory.read(bitmap + BigInt(within >> 3), 1));
    if (((byte >> (within & 7)) & 1) === 1) return true;
  }
  return false;
}

/** IN, INS, OUT or OUTS of a guest. */
export function portExit(cpu: Cpu, instruction: InterceptedInstruction): VmExit | undefined {
  const { mnemonic, decoded, operands = [] } = instruction;
  const isInput = mnemonic.startsWith('IN');
  const [portOperand, data] = isInput ? [operands[1], operands[0]] : [operands[0], operands[1]];
  const port = Number((portOperand?.read() ?? 0n) & 0xffffn);
  const bytes = (data?.width ?? 8) / 8;
  if (!isIntercepted(cpu, port, bytes)) return undefined;
  const isString = mnemonic.length > 3;
  const qualification =
    (bytes - 1) |
    (isInput ? QUALIFICATION.in : 0) |
    (isString ? QUALIFICATION.string : 0) |
    (decoded !== undefined && decoded.repeat !== 'none' ? QUALIFICATION.rep : 0) |
    (portOperand?.kind === 'immediate' ? QUALIFICATION.immediate : 0);
  return {
    reason: 30,
    qualification: BigInt(qualification) | (BigInt(port) << 16n),
    ...(isString
      ? {
          instructionInformation: stringAddressing(instruction),
          guestLinearAddress: data?.uncheckedLinear?.(),
        }
      : {}),
  };
}
