/** Words for writing algorithms on batches of matrices as operations of a program. */
import type { Builder } from "../builder.ts";
import { broadcastShapes, type Value } from "../ir.ts";
import { sizeOf } from "../tensors/tensor.ts";

type Comparison = "less" | "less_equal" | "equal" | "not_equal";

/** Elementwise arithmetic, masks and row access on the values of one builder. */
export class Algebra {
  readonly builder: Builder;

  constructor(builder: Builder) {
    this.builder = builder;
  }

  add(a: Value, b: Value): Value {
    return this.builder.elementwise("add", [a, b]);
  }

  sub(a: Value, b: Value): Value {
    return this.builder.elementwise("sub", [a, b]);
  }

  mul(a: Value, b: Value): Value {
    return this.builder.elementwise("mul", [a, b]);
  }

  div(a: Value, b: Value): Value {
    return this.builder.elementwise("div", [a, b]);
  }

  sqrt(a: Value): Value {
    return this.builder.elementwise("sqrt", [a]);
  }

  abs(a: Value): Value {
    return this.where(
      this.compare("less", a, this.like(a, 0)),
      this.builder.elementwise("neg", [a]),
      a,
    );
  }

  and(a: Value, b: Value): Value {
    return this.builder.elementwise("mul", [a, b]);
  }

  /** A scalar of the type of `value`. */
  like(value: Value, number: number): Value {
    return this.builder.scalar(number, value.dtype);
  }

  compare(op: Comparison, a: Value, b: Value): Value {
    const shape = broadcastShapes(a.shape, b.shape);
    return this.builder.apply("compare", [a, b], { op }, [{ shape, dtype: "bool" }])[0]!;
  }

  where(condition: Value, a: Value, b: Value): Value {
    return this.builder.elementwise("where", [condition, a, b]);
  }

  transpose(value: Value, perm: readonly number[]): Value {
    const shape = perm.map((axis) => value.shape[axis]!);
    return this.builder.apply("transpose", [value], { perm: [...perm] }, [
      { shape, dtype: value.dtype },
    ])[0]!;
  }

  reduce(op: "Add" | "Max" | "Min", value: Value, axis: readonly number[]): Value {
    const shape = value.shape.filter((_, i) => !axis.includes(i));
    return this.builder.apply("reduce", [value], { op, axis: [...axis] }, [
      { shape, dtype: value.dtype },
    ])[0]!;
  }

  /** 0, 1, …, length − 1 along `axis` of an array of rank `rank` (other axes have length 1). */
  iota(length: number, axis = 0, rank = 1): Value {
    const indices = this.builder.vector(Int32Array.from({ length }, (_, i) => i));
    const shape = Array<number>(rank).fill(1);
    shape[axis] = length;
    return rank === 1 ? indices : this.builder.reshape(indices, shape);
  }

  /** value[..., index, ...] along `axis`; `index` an int32 scalar in range. */
  at(value: Value, index: Value, axis: number): Value {
    const shape = value.shape.filter((_, i) => i !== axis);
    const params = { axis: [axis], outDim: axis };
    return this.builder.apply("gather", [value, index], params, [
      { shape, dtype: value.dtype },
    ])[0]!;
  }

  /** value[b, index[b], …] for every b; `index` int32 [batch]. */
  atEach(value: Value, index: Value): Value {
    const shape = [value.shape[0]!, ...value.shape.slice(2)];
    const params = { axis: [0, 1], outDim: 0 };
    const inputs = [value, this.iota(value.shape[0]!), index];
    return this.builder.apply("gather", inputs, params, [{ shape, dtype: value.dtype }])[0]!;
  }

  /** value[b, index[b, i], …] for every b and i; `index` int32 [batch, count]. */
  rowsOfEach(value: Value, index: Value): Value {
    const batch = this.builder.reshape(this.iota(value.shape[0]!), [value.shape[0]!, 1]);
    const shape = [...index.shape, ...value.shape.slice(2)];
    const params = { axis: [0, 1], outDim: 0 };
    return this.builder.apply("gather", [value, batch, index], params, [
      { shape, dtype: value.dtype },
    ])[0]!;
  }

  /** `count` zeros after the end of `axis`. */
  pad(value: Value, axis: number, count: number): Value {
    const width = value.shape.map((_, i) => [0, i === axis ? count : 0]);
    const shape = value.shape.map((length, i) => (i === axis ? length + count : length));
    return this.builder.apply("pad", [value], { width }, [{ shape, dtype: value.dtype }])[0]!;
  }

  /** Leading axes flattened into one: [..., m, n] as [batch, m, n]. */
  batched(value: Value, kept: number): Value {
    const split = value.shape.length - kept;
    const batch = sizeOf(value.shape.slice(0, split));
    return this.builder.reshape(value, [batch, ...value.shape.slice(split)]);
  }

  /** An axis of length one inserted at `axis`. */
  insert(value: Value, axis: number): Value {
    const shape = [...value.shape.slice(0, axis), 1, ...value.shape.slice(axis)];
    return this.builder.reshape(value, shape);
  }
}
