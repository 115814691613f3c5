/**
 * Nyström's error against its rank. For A = UΣUᵀ, positive semidefinite, with S the k chosen columns of I and, for any r ≤ k,
 * U₁ the first r eigenvectors and U₂ the others, whatever the choice of columns:
 *
 *     ‖A − A_k‖ ≤ e = σ_{r+1} (1 + ‖(U₂ᵀS)(U₁ᵀS)⁺‖²)       Gittens, Mahoney, JMLR 2016, theorem 2, for columns
 *     ‖(A_k + ρI)⁻¹ − (A + ρI)⁻¹‖ ≤ e / (ρ(e + ρ))         Frangella, Tropp, Udell, SIMAX 2023, proposition 3.1
 *
 * So the error is of the order of the eigenvalues that a part of the rank leaves out, not of those that all of it does.
 */
import { expect, test } from "vitest";
import { nystrom } from "../../src/linear/index.ts";
import { chooseCoordinates } from "../../src/linear/nystrom.ts";
import { multiply, solveDense, transpose, type Matrix } from "../bilevel/dense.ts";
import { slope, solveSystem } from "./systems.ts";

const [n, rho] = [16, 1];
const seeds = [0, 1, 2];
// The cosine basis: no entry above √(2/n), so that every column of A sees every eigenvector.
const U: Matrix = Array.from({ length: n }, (_, i) =>
  Array.from(
    { length: n },
    (_, j) => Math.sqrt((j === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (i + 0.5) * j) / n),
  ),
);
const b = Array.from({ length: n }, (_, i) => Math.cos(1.3 * i));
const norm = (v: readonly number[]): number => Math.hypot(...v);

test("eigenvalues that fall by half: within the bound for every choice, and falling with the rank", async () => {
  const eigenvalues = Array.from({ length: n }, (_, i) => 2 ** -i);
  const means: number[] = [];
  for (const rank of [2, 5, 8, 11, 14, n]) {
    let sum = 0;
    for (const seed of seeds) {
      const error = await errorOf(eigenvalues, rank, seed);
      const bound = rank < n ? boundOf(eigenvalues, rank, seed) : 0;
      expect(error, `rank ${rank}, seed ${seed}`).toBeLessThanOrEqual(bound + 1e-13);
      sum += error / seeds.length;
    }
    means.push(sum);
  }
  means.slice(1).forEach((mean, i) => expect(mean).toBeLessThan(means[i]!));
});

test("four large eigenvalues and a tail: from some rank on the error is of the order of the tail, before it is not", async () => {
  const tails = [1e-2, 1e-3, 1e-4, 1e-5];
  const withTail = (tail: number): number[] =>
    Array.from({ length: n }, (_, i) => (i < 4 ? 4 - i : tail * (1 + i / n)));
  for (const seed of seeds) {
    const few: number[] = [];
    const enough: number[] = [];
    for (const tail of tails) {
      few.push(await errorOf(withTail(tail), 3, seed));
      enough.push(await errorOf(withTail(tail), 8, seed));
      expect(enough.at(-1)).toBeLessThanOrEqual(boundOf(withTail(tail), 8, seed));
    }
    const order = (errors: number[]): number => slope(tails.map(Math.log), errors.map(Math.log));
    expect(order(enough), `seed ${seed}`).toBeGreaterThan(0.95);
    expect(order(enough), `seed ${seed}`).toBeLessThan(1.05);
    expect(Math.abs(order(few)), `seed ${seed}`).toBeLessThan(0.05);
  }
});

/** ‖q_k − (A + ρI)⁻¹b‖ */
async function errorOf(eigenvalues: number[], rank: number, seed: number): Promise<number> {
  const a = multiply(
    U.map((row) => row.map((v, j) => v * eigenvalues[j]!)),
    transpose(U),
  );
  const { q } = await solveSystem(nystrom({ rank, rho, seed }), a, b);
  // (A + ρI)⁻¹b by the eigenvectors.
  const parts = transpose(U).map((u, j) => {
    const part = u.reduce((sum, v, i) => sum + v * b[i]!, 0);
    return u.map((v) => (v * part) / (eigenvalues[j]! + rho));
  });
  return norm(q.map((v, i) => v - parts.reduce((sum, part) => sum + part[i]!, 0)));
}

/** What the theorems allow with the best r, with the Frobenius norm over the spectral one. */
function boundOf(eigenvalues: number[], rank: number, seed: number): number {
  // SᵀU: the chosen rows of U.
  const seen = [...chooseCoordinates(n, rank, seed)].map((i) => U[i]!);
  const errors = Array.from({ length: rank }, (_, i) => {
    const r = i + 1;
    const first = seen.map((row) => row.slice(0, r));
    const gram = multiply(transpose(first), first);
    // (U₁ᵀS)⁺ = SᵀU₁ (U₁ᵀS SᵀU₁)⁻¹, row by row of U₂ᵀS.
    const rows = transpose(seen.map((row) => row.slice(r))).map((other) => {
      const projected = transpose(first).map((column) =>
        column.reduce((sum, v, k) => sum + v * other[k]!, 0),
      );
      return solveDense(gram, projected);
    });
    return eigenvalues[r]! * (1 + norm(rows.flat()) ** 2);
  });
  const e = Math.min(...errors.filter(Number.isFinite));
  return (norm(b) * e) / (rho * (e + rho));
}
