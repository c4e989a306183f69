// A plugin that lists every violated check of a VMX instruction instead of executing it, so that a test can see that a
// state violates exactly one. For each intrinsic `vmxon` there is `listVmxon`, and `listVmxonRegister` with the operand
// in RAX, which no encoding of the instruction has.
import {
  allViolations,
  completed,
  defineInstruction,
  definePlugin,
  type FunctionInstruction,
  type IntrinsicShape,
  PLUGIN_API_VERSION,
} from '@retrovisor/core';
import { vmx } from '../../src/index.js';

const INSTRUCTIONS: readonly FunctionInstruction[] = vmx.instructions ?? [];

/** The instructions with their tables. */
export const VMX_INSTRUCTIONS = INSTRUCTIONS;

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

function lister({ mnemonic, manual, checks, intrinsics }: FunctionInstruction) {
  const [[name, shape] = ['', { operands: [] } satisfies IntrinsicShape]] = Object.entries(intrinsics);
  return defineInstruction({
    mnemonic: `list ${mnemonic}`,
    manual,
    reads: [],
    writes: [],
    flags: 'unaffected',
    intrinsics: {
      [`list${capitalised(name)}`]: shape,
      [`list${capitalised(name)}Register`]: { operands: shape.operands.map(() => ({ register: 'RAX' })) },
    } as Readonly<Record<string, IntrinsicShape>>,
    effect: (cpu, operands, operandWidth) =>
      completed(allViolations(checks, { cpu, operands, operandWidth }).map(({ rule }) => rule.id)),
  });
}

export const violationsListed = definePlugin({
  name: 'violations-listed',
  version: '1.0.0',
  apiVersion: PLUGIN_API_VERSION,
  requires: ['vmx'],
  instructions: INSTRUCTIONS.map(lister),
});
