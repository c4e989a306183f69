// From a decoded instruction to the operands of the expression form: registers, constants, and memory with the
// expression of its effective address.
import { InternalError } from '../error.js';
import { add, constant, general, memory, mul, truncate, zeroExtend } from '../expression/build.js';
import { vectorMemory, vectorRegister } from '../expression/build-vector.js';
import type { Expression } from '../expression/nodes.js';
import type { EffectOperands } from '../instruction/define.js';
import type { CodeWidth, Decoded, DecodedMemory, DecodedOperand, DecodedRegister } from './decode.js';

/** The operands that a declaration's effect is built from. `stackWidth` follows from SS.B outside 64-bit mode. */
export function effectOperands(decoded: Decoded, stackWidth: CodeWidth): EffectOperands {
  const operands = decoded.operands.map((operand) =>
    operand.kind === 'far' ? undefined : expressionOf(operand, decoded),
  );
  const at = (index: number, name: string): Expression => {
    const operand = operands[index];
    if (operand === undefined) throw new InternalError(`${decoded.mnemonic} has no operand ${name}`);
    return operand;
  };
  return {
    get dst() {
      return at(0, 'dst');
    },
    get src() {
      return at(1, 'src');
    },
    get third() {
      return at(2, 'third');
    },
    operandCount: operands.length,
    operandWidth: decoded.operandWidth,
    addressWidth: decoded.addressWidth,
    stackWidth,
    repeat: decoded.repeat,
    here: constant(64, decoded.address),
    next: constant(64, decoded.address + BigInt(decoded.length)),
    get address() {
      const operand = decoded.operands.find((candidate) => candidate.kind === 'memory');
      if (operand === undefined) throw new InternalError(`${decoded.mnemonic} has no memory operand`);
      return effectiveAddress(operand);
    },
  };
}

function expressionOf(operand: Exclude<DecodedOperand, { kind: 'far' }>, { operandWidth }: Decoded): Expression {
  switch (operand.kind) {
    case 'register':
      return registerExpression(operand);
    case 'immediate':
      return constant(operand.width, operand.value);
    case 'memory':
      // LEA names memory without a size: it never reads it, and the place takes the operand size.
      if (operand.width === 128) return vectorMemory(operand.segment, effectiveAddress(operand));
      return memory((operand.width || operandWidth) as 8 | 16 | 32 | 64, operand.segment, effectiveAddress(operand));
  }
}

function registerExpression({ class: kind, index, width, high }: DecodedRegister): Expression {
  if (kind === 'vector') return vectorRegister(index);
  return { ...general(index, width as 8 | 16 | 32 | 64), high };
}

/** The offset within the segment: base + index * scale + displacement, wrapped to the address size, 64 bits wide. */
function effectiveAddress({ base, index, scale, displacement, addressWidth }: DecodedMemory): Expression {
  const terms: Expression[] = [];
  if (base !== undefined) terms.push(registerExpression(base));
  if (index !== undefined) terms.push(scaled(index, scale, addressWidth));
  if (displacement !== 0n || terms.length === 0) terms.push(constant(addressWidth, displacement));
  return zeroExtend(terms.reduce(add), 64);
}

/** XLAT's index is AL: narrower than the address. */
function scaled(index: DecodedRegister, scale: number, addressWidth: CodeWidth): Expression {
  const register = zeroExtend(registerExpression(index), addressWidth);
  return scale === 1 ? register : truncate(mul(register, constant(addressWidth, BigInt(scale))), addressWidth);
}
