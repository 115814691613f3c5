/** What is chosen for a linear model: one L2 coefficient for each input. */
import * as v from "valibot";
import type { Encoder } from "../../../data/index.ts";
import { anyNumber } from "../../../files/index.ts";
import type { FitSize, ModelFamily } from "../family.ts";

/** Coefficients of the encoder's inputs, for as many rows as the weights are fitted on. */
export interface LinearConfig {
  /** ln of the coefficient of each input. */
  readonly logCoefficient: readonly number[];
  /** ln of the single coefficient for all inputs, from which these ones started. */
  readonly single: number;
}

const schema: v.GenericSchema<unknown, LinearConfig> = v.looseObject({
  logCoefficient: v.array(anyNumber),
  single: anyNumber,
});

/** See {@link ModelFamily.checkConfig}: a coefficient for each input. */
export function checkConfig(value: unknown, { inputs }: Encoder): LinearConfig | undefined {
  const read = v.safeParse(schema, value);
  return read.success && read.output.logCoefficient.length === inputs.length
    ? read.output
    : undefined;
}

/**
 * The coefficients for more rows. The loss is a mean and the penalty belongs to the sum, as a prior of the weights does, so a
 * coefficient falls as one over the rows: n·exp λ stays. Inputs that only the new rows show get the single coefficient.
 */
export function transferConfig(config: LinearConfig, from: FitSize, to: FitSize): LinearConfig {
  const scaled = (value: number): number => value + Math.log(from.rows / to.rows);
  const single = scaled(config.single);
  const byName = new Map(
    from.encoder.inputs.map(({ name }, i) => [name, scaled(config.logCoefficient[i]!)]),
  );
  return {
    logCoefficient: to.encoder.inputs.map(({ name }) => byName.get(name) ?? single),
    single,
  };
}
