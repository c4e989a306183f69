export { type AccessCost, accessCost } from './access-cost.js';
export type { MachineConstants, NodeCounts, ProcessorCounts } from './counters.js';
export { constantsOf, countsOf } from './counters.js';
export type { DescriptionProblem } from './description-checks.js';
export { fitMachine, type MachineSize } from './fit-machine.js';
export type {
  FigureSource,
  LatencyDescription,
  LatencyUnit,
  MachineDescription,
  MemoryRange,
  NodeDescription,
} from './machine-description.js';
export { EPYC_NPS4 } from './machines/epyc-nps4.js';
export { findMachine, MACHINES } from './machines/machines.js';
export { OPTERON_8N } from './machines/opteron-8n.js';
export { XEON_8269CY } from './machines/xeon-platinum-8269cy.js';
export { XEON_8360Y } from './machines/xeon-platinum-8360y.js';
export { parseMachineDescription } from './parse-description.js';
export { numa } from './plugin.js';
export { type CostEntry, type CostReport, type CostSum, costOf } from './report.js';
export { Topology } from './topology.js';
