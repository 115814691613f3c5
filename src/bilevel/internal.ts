/** What other folders of the house take from this one besides its index; not part of the package's interface. */
export { formatBytes } from "./advise/plan.ts";
export { asDynamics, innerGradient } from "./dynamics.ts";
export { weightsOf } from "./estimate/follower.ts";
export { leafPaths } from "./estimate/leaves.ts";
export { isBiasedByStart } from "./estimate/left-out.ts";
export { type Evaluated, makeReport } from "./evaluate/report.ts";
export { CHECKPOINT, OPTIMIZER, OUTER_LOOP, SIGNAL } from "./option-kinds.ts";
export { call, type RuleCall, ruleCall } from "./rule-call.ts";
export {
  costInWords,
  needsInWords,
  ruleCatalog,
  ruleFamilies,
  type RuleFamily,
  theoryInWords,
} from "./rules/catalog.ts";
export { repeatForTasks } from "./tasks.ts";
