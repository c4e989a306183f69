// SDM, "Logical Instructions".
import { and, arithmeticFlags, not, or, write, xor } from '../expression/build.js';
import type { Expression } from '../expression/nodes.js';
import { type SdmTitle, sdm } from '../manual/sdm.js';
import { defineInstruction } from './define.js';

function logical(mnemonic: string, title: SdmTitle, operator: (left: Expression, right: Expression) => Expression) {
  return defineInstruction({
    mnemonic,
    manual: sdm(title),
    lockable: true,
    effect: ({ dst, src }) => {
      const result = operator(dst, src);
      return [write(dst, result), arithmeticFlags('logic', dst, src, result)];
    },
  });
}

export const AND = logical('AND', 'AND—Logical AND', and);
export const OR = logical('OR', 'OR—Logical Inclusive OR', or);
export const XOR = logical('XOR', 'XOR—Logical Exclusive OR', xor);

export const NOT = defineInstruction({
  mnemonic: 'NOT',
  manual: sdm("NOT—One's Complement Negation"),
  lockable: true,
  effect: ({ dst }) => [write(dst, not(dst))],
});
