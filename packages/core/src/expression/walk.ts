// The children of nodes, for whoever goes through an expression without caring what it computes.
import { assertNever } from '../error.js';
import type { Effect, Expression, Place, Statement } from './nodes.js';

/** The operands of a node in the order in which they are evaluated. The offset of memory is one. */
export function operandsOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'constant':
    case 'register':
    case 'flag':
    case 'condition':
    case 'vectorRegister':
    case 'systemBit':
      return [];
    case 'memory':
    case 'vectorMemory':
      return [node.offset];
    case 'binary':
    case 'compare':
      return [node.left, node.right];
    case 'unary':
    case 'resize':
      return [node.operand];
    case 'select':
      return [node.condition, node.whenTrue, node.whenFalse];
    case 'divide':
    case 'divideFits':
      return [node.high, node.low, node.divisor];
    case 'vector':
    case 'float':
      return node.operands;
    case 'lane':
      return [node.operand];
    case 'withLane':
      return [node.operand, node.value];
    default:
      return assertNever(node);
  }
}

/** The values of a statement in the order in which they are evaluated. The offset of memory that is written is one. */
export function valuesOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case 'write':
      return [statement.value, ...offsetOf(statement.place)];
    case 'arithmeticFlags':
      return [statement.left, statement.right, statement.result];
    case 'setFlags':
      return [...Object.values(statement.flags), ...optional(statement.when)];
    case 'jump':
      return [statement.target, ...optional(statement.when)];
    case 'faultIf':
    case 'faultFirst':
    case 'endIf':
      return [statement.condition];
    case 'simdExceptions':
      return statement.operations;
    default:
      return assertNever(statement);
  }
}

const offsetOf = (place: Place): readonly Expression[] =>
  place.kind === 'memory' || place.kind === 'vectorMemory' ? [place.offset] : [];
const optional = (node: Expression | undefined): readonly Expression[] => (node === undefined ? [] : [node]);

/** Every node that an effect evaluates, once each, operands first. */
export function nodesOf(effect: Effect): readonly Expression[] {
  const seen = new Set<Expression>();
  const visit = (node: Expression): void => {
    if (seen.has(node)) return;
    for (const operand of operandsOf(node)) visit(operand);
    seen.add(node);
  };
  for (const statement of effect) for (const value of valuesOf(statement)) visit(value);
  return [...seen];
}
