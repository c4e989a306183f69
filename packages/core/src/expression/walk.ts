// The children of nodes, for whoever goes through an expression without caring what it computes.
import { assertNever } from '../error.js';
import type { Effect, Expression, Statement } from './nodes.js';

/** The operands of a node in the order in which they are evaluated. The offset of memory is one. */
export function operandsOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'constant':
    case 'register':
    case 'flag':
    case 'condition':
      return [];
    case 'memory':
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
    default:
      return assertNever(node);
  }
}

/** The values of a statement in the order in which they are evaluated. The offset of memory that is written is one. */
export function valuesOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case 'write':
      return [statement.value, ...(statement.place.kind === 'memory' ? [statement.place.offset] : [])];
    case 'arithmeticFlags':
      return [statement.left, statement.right, statement.result];
    case 'setFlags':
      return [...Object.values(statement.flags), ...optional(statement.when)];
    case 'jump':
      return [statement.target, ...optional(statement.when)];
    case 'faultIf':
    case 'endIf':
      return [statement.condition];
    default:
      return assertNever(statement);
  }
}

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
