// ONNX Runtime's side of `make bench-peers`: it does what it reads on stdin; see side.go.
//
//     node onnxruntime.mjs NODE_MODULES FOLDER_OF_ONNX_FILES
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [modules, folder] = process.argv.slice(2);
const require = createRequire(join(modules, "onnxruntime-node", "package.json"));
const ort = require("onnxruntime-node");

const threads = 2, caption = 15, context = 25, layers = 12;

let sessions = [];

async function session(name) {
  const s = await ort.InferenceSession.create(join(folder, name + ".onnx"), {
    executionProviders: ["cpu"], intraOpNumThreads: threads, interOpNumThreads: 1,
    executionMode: "sequential", graphOptimizationLevel: "all",
  });
  sessions.push(s);
  return s;
}

function floats(...dims) {
  const data = new Float32Array(dims.reduce((a, b) => a * b));
  for (let i = 0; i < data.length; i++) data[i] = (i % 997) / 997 - 0.5;
  return new ort.Tensor("float32", data, dims);
}

async function encoder(name, batch) {
  const s = await session(name), pixels = floats(batch, 3, 224, 224);
  return () => s.run({ pixels });
}

async function token(batch) {
  const s = await session("token");
  const feeds = { ids: new ort.Tensor("int64", new BigInt64Array(batch).fill(1n), [batch]) };
  for (let i = 0; i < 2 * layers; i++) feeds["past" + i] = floats(batch, 12, context, 64);
  return () => s.run(feeds);
}

async function wholeCaption(batch) {
  const vit = await session("vit"), prefill = await session("prefill"), next = await session("token");
  const pixels = floats(batch, 3, 224, 224);
  return async () => {
    const { embedding } = await vit.run({ pixels });
    let out = await prefill.run({ embedding });
    for (let n = 1; n < caption; n++) {
      const feeds = { ids: out.ids ?? out.next };
      for (let i = 0; i < 2 * layers; i++) feeds["past" + i] = out["present" + i];
      out = await next.run(feeds);
    }
  };
}

async function product(m, k, n) {
  const s = await session(`gemm-${k}-${n}`), x = floats(m, k);
  return () => s.run({ x });
}

const work = {
  vit: (batch) => encoder("vit", batch),
  rn50: (batch) => encoder("rn50", batch),
  token, caption: wholeCaption, gemm: product,
};

let run;

async function repeat(untimed, timed) {
  for (let i = 0; i < untimed; i++) await run();
  const start = performance.now();
  for (let i = 0; i < timed; i++) await run();
  return ((performance.now() - start) / timed).toFixed(4);
}

async function answer([command, ...words]) {
  if (command === "version") {
    const { version } = require("onnxruntime-node/package.json");
    return `onnxruntime-node ${version}, Node ${process.version}, intraOpNumThreads ${threads}`;
  }
  if (command === "open") {
    const open = work[words[0]];
    if (!open) return "no such work here";
    run = await open(...words.slice(1).map(Number));
    return "ready";
  }
  if (command === "run") return repeat(...words.map(Number));
  run = undefined;
  for (const s of sessions) await s.release();
  sessions = [];
  return "closed";
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(await answer(line.split(" ")));
  } catch (e) {
    console.log(String(e).replaceAll("\n", " "));
  }
}
