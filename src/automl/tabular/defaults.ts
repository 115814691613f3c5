/** What `tune` takes where nothing is said. */
export const tuneDefaults = { holdout: 0.2, folds: 5, seed: 0, repeats: 5, steps: 60 } as const;
