// SDM, "x87 FPU Instructions", in the order of its groups.
import { X87_BASIC_ARITHMETIC } from './basic-arithmetic.js';
import { X87_COMPARISON } from './comparison.js';
import { X87_CONTROL } from './control.js';
import { X87_DATA_TRANSFER } from './data-transfer.js';
import { X87_ENVIRONMENT } from './environment.js';
import { X87_TRANSCENDENTAL } from './transcendental.js';

export const X87_INSTRUCTIONS = [
  ...X87_DATA_TRANSFER,
  ...X87_BASIC_ARITHMETIC,
  ...X87_COMPARISON,
  ...X87_TRANSCENDENTAL,
  ...X87_CONTROL,
  ...X87_ENVIRONMENT,
];
