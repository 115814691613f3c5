import { numpy as np, vjp } from "@jax-js/jax";
import { expect, test } from "vitest";

import { eager } from "../../../test/program/jax-eager.ts";
import { compile, type Tensor, tensor } from "../index.ts";

type DTypes = "float32" | "float64";

function signal(shape: number[], phase: number, dtype: DTypes): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  const values = Array.from({ length: size }, (_, i) => Math.sin(phase + 1.7 * i + 0.1 * i * i));
  return tensor(values, { shape, dtype });
}

const forward = (real: np.Array, imag: np.Array): np.Array[] => {
  const { real: re, imag: im } = np.fft.fft({ real, imag });
  return [re, im];
};
const backward = (real: np.Array, imag: np.Array): np.Array[] => {
  const { real: re, imag: im } = np.fft.ifft({ real, imag });
  return [re, im];
};

/** The greatest difference between two lists of arrays. */
function distance(a: readonly Tensor[], b: readonly Tensor[]): number {
  return Math.max(
    ...a.flatMap((x, i) =>
      Array.from(x.data, (v, j) => Math.abs(Number(v) - Number(b[i]!.data[j]))),
    ),
  );
}

test.each<[DTypes, number]>([
  ["float32", 1e-6],
  ["float64", 4e-15],
])("fft and ifft in %s agree with jax-js and with the sum itself", async (dtype, tolerance) => {
  const [fft, ifft] = [compile(forward), compile(backward)];
  for (const n of [1, 2, 3, 5, 8, 12, 13, 16, 30, 97, 128]) {
    const [x, y] = [signal([2, n], 0, dtype), signal([2, n], 2, dtype)];
    const there = (await fft(x, y)) as unknown as Tensor[];
    expect(distance(there, eager(forward, x, y) as Tensor[])).toBeLessThan(10 * n * tolerance);
    expect(distance(there, direct(x, y, n, dtype))).toBeLessThan(2 * n * tolerance);
    const back = (await ifft(there[0]!, there[1]!)) as unknown as Tensor[];
    expect(distance(back, [x, y])).toBeLessThan(10 * tolerance);
    expect(distance(back, eager(backward, there[0]!, there[1]!) as Tensor[])).toBeLessThan(
      20 * tolerance,
    );
  }
  await fft.dispose();
  await ifft.dispose();
});

/** Σ_j x_j exp(-2πi jk/n). */
function direct(x: Tensor, y: Tensor, n: number, dtype: DTypes): Tensor[] {
  const parts = [0, 1].map((part) =>
    Array.from({ length: x.size }, (_, at) => {
      const [row, k] = [Math.floor(at / n) * n, at % n];
      let sum = 0;
      for (let j = 0; j < n; j++) {
        const angle = (-2 * Math.PI * ((j * k) % n)) / n;
        const [re, im] = [Number(x.data[row + j]), Number(y.data[row + j])];
        sum +=
          part === 0
            ? re * Math.cos(angle) - im * Math.sin(angle)
            : re * Math.sin(angle) + im * Math.cos(angle);
      }
      return sum;
    }),
  );
  return parts.map((values) => tensor(values, { shape: x.shape, dtype }));
}

test("another axis, one axis alone, float16, and the adjoint", async () => {
  const along = (real: np.Array, imag: np.Array): np.Array[] => {
    const { real: re, imag: im } = np.fft.fft({ real, imag }, 0);
    return [re, im];
  };
  const pulled = (real: np.Array, imag: np.Array): np.Array[] =>
    vjp((a: np.Array, b: np.Array) => forward(a, b), [real, imag])[1]([imag, real]) as np.Array[];
  for (const fn of [along, pulled]) {
    const [x, y] = [signal([6, 5], 0, "float64"), signal([6, 5], 2, "float64")];
    const compiled = compile(fn);
    const result = (await compiled(x, y)) as unknown as Tensor[];
    expect(distance(result, eager(fn, x, y) as Tensor[])).toBeLessThan(1e-13);
    await compiled.dispose();
  }
  const half = compile((real: np.Array, imag: np.Array) =>
    forward(real.astype(np.float16), imag.astype(np.float16)).map((part) =>
      part.astype(np.float32),
    ),
  );
  const [x, y] = [signal([6], 0, "float32"), signal([6], 2, "float32")];
  const result = (await half(x, y)) as unknown as Tensor[];
  expect(distance(result, direct(x, y, 6, "float32"))).toBeLessThan(0.02);
  await half.dispose();
});
