// Runs nixcfg in a thread of its own, so that the page never waits for it.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const ready = (async () => {
  const began = performance.now();
  const python = await loadPyodide({ indexURL: new URL("./pyodide/", import.meta.url).href });
  const packages = await fetch(new URL("./packages.zip", import.meta.url));
  python.unpackArchive(await packages.arrayBuffer(), "zip", {
    extractDir: python.runPython("import site; site.getsitepackages()[0]"),
  });
  const page = python.pyimport("playground");
  postMessage({ kind: "ready", took: performance.now() - began, ...JSON.parse(page.releases()) });
  return page;
})();
ready.catch((error) => postMessage({ kind: "broken", message: String(error) }));

onmessage = async ({ data }) => {
  const page = await ready;
  const began = performance.now();
  try {
    const answer =
      data.kind === "check"
        ? page.checked(data.text, data.release)
        : page.fixed(data.text, data.release, data.unsafe);
    const took = performance.now() - began;
    postMessage({ kind: data.kind, turn: data.turn, took, ...JSON.parse(answer) });
  } catch (error) {
    postMessage({ kind: "broken", message: String(error).split("\n").slice(-2).join(" ") });
  }
};
