/** The smallest ONNX model worth running, `z = x + y` on float32 vectors, written field by field. */
import { PbfWriter } from "pbf";

const float32 = 1;

export function addModel(): Uint8Array<ArrayBuffer> {
  return message((model) => {
    model.writeVarintField(1, 8); // ModelProto.ir_version
    model.writeBytesField(
      7, // ModelProto.graph
      message((graph) => {
        graph.writeBytesField(
          1, // GraphProto.node
          message((node) => {
            node.writeStringField(1, "x");
            node.writeStringField(1, "y");
            node.writeStringField(2, "z");
            node.writeStringField(4, "Add");
          }),
        );
        graph.writeStringField(2, "add");
        graph.writeBytesField(11, vectorInfo("x"));
        graph.writeBytesField(11, vectorInfo("y"));
        graph.writeBytesField(12, vectorInfo("z"));
      }),
    );
    model.writeBytesField(
      8, // ModelProto.opset_import
      message((opset) => opset.writeVarintField(2, 17)),
    );
  });
}

/** ValueInfoProto of a float32 vector of any length. */
function vectorInfo(name: string): Uint8Array {
  const dimension = message((field) => field.writeStringField(2, "n"));
  const shape = message((field) => field.writeBytesField(1, dimension));
  const tensor = message((field) => {
    field.writeVarintField(1, float32);
    field.writeBytesField(2, shape);
  });
  const type = message((field) => field.writeBytesField(1, tensor));
  return message((info) => {
    info.writeStringField(1, name);
    info.writeBytesField(2, type);
  });
}

function message(write: (pbf: PbfWriter) => void): Uint8Array<ArrayBuffer> {
  const pbf = new PbfWriter();
  write(pbf);
  return Uint8Array.from(pbf.finish());
}
