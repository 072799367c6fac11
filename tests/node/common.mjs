// What every script shares. The address, the key and the base model come from the environment.
import OpenAI from "openai";

export const client = new OpenAI({ maxRetries: 0, timeout: 120_000 });
export const baseModel = process.env.ANNEAL_TEST_MODEL;

/** A valid training file with this many examples. */
export function trainingFile(examples = 12) {
  return Array.from({ length: examples }, (_, i) => JSON.stringify({
    messages: [
      { role: "user", content: `What is ${i} plus 1?` },
      { role: "assistant", content: `${i + 1}` },
    ],
  })).join("\n") + "\n";
}

/** Uploads text as a file of this name. */
export async function upload(text, purpose = "fine-tune", name = "train.jsonl") {
  return client.files.create({ file: await OpenAI.toFile(Buffer.from(text), name), purpose });
}

/** All items of a paged list. */
export async function collect(list) {
  const items = [];
  for await (const item of list) {
    items.push(item);
  }
  return items;
}
