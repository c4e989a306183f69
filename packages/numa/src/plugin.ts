// NUMA as a plugin: a table of contents. It observes and counts; nothing that a guest can see changes, and the virtual
// time of core stays one cycle a step.
import { definePlugin, PLUGIN_API_VERSION } from '@retrovisor/core';
import { acpiTables } from './acpi-tables.js';
import { constantsSlice, countAccesses, countersSlice } from './counters.js';
import type { MachineDescription } from './machine-description.js';
import { Topology } from './topology.js';
import { countView, topologyView } from './views.js';

/**
 * The plugin for a machine with that description. Its processors must be those of the machine or more, and each address
 * of RAM must have a node: `fitMachine` makes a description of any size.
 *
 * @throws UsageError `BAD_MACHINE_DESCRIPTION`, here; `MACHINE_DOES_NOT_FIT`, when a machine is made
 * @example createMachine({ profile: 'intel-server', processors: 2, plugins: [numa(fitMachine(XEON_8360Y, size))] })
 */
export function numa(description: MachineDescription) {
  const topology = new Topology(description);
  return definePlugin({
    name: 'numa',
    version: '0.1.0',
    apiVersion: PLUGIN_API_VERSION,
    configuration: topology.description,
    acpiTables: (definition) => acpiTables(topology, definition),
    machineSlice: constantsSlice(topology),
    processorSlice: countersSlice(topology),
    intercepts: { memoryAccesses: (cpu, accesses) => countAccesses(topology, cpu, accesses) },
    views: { topology: () => topologyView(topology), numa: (state) => countView(state) },
  });
}
