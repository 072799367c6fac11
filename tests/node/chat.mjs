// Chat, whole and streamed, and its errors as typed exceptions.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { baseModel, client } from "./common.mjs";

const model = process.env.ANNEAL_TEST_TUNED ?? baseModel;
const messages = [{ role: "system", content: "Be short." }, { role: "user", content: "Hi there" }];
const options = { model, messages, temperature: 0, max_completion_tokens: 8 };

const whole = await client.chat.completions.create({ ...options, logprobs: true, top_logprobs: 2 });
assert.equal(whole.object, "chat.completion");
assert.equal(whole.model, model);
assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
assert.ok(["stop", "length"].includes(whole.choices[0].finish_reason));
assert.equal(whole.choices[0].logprobs.content[0].top_logprobs.length, 2);

let text = "";
let usage;
const stream = await client.chat.completions.create({ ...options, stream: true, stream_options: { include_usage: true } });
for await (const chunk of stream) {
  assert.equal(chunk.object, "chat.completion.chunk");
  text += chunk.choices[0]?.delta.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.equal(text, whole.choices[0].message.content);
assert.deepEqual(usage, whole.usage);

const runner = client.chat.completions.stream({ ...options, n: 2, seed: 3, temperature: 1 });
const final = await runner.finalChatCompletion();
assert.equal(final.choices.length, 2);

await assert.rejects(
  client.chat.completions.create({ ...options, model: "none" }),
  (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found" && /^req_/.test(error.requestID),
);
await assert.rejects(
  client.chat.completions.create({ ...options, temperature: 3 }),
  (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature",
);
await assert.rejects(
  client.chat.completions.create({ ...options, stream: true, tools: [{ type: "function", function: { name: "f" } }] }),
  (error) => error instanceof OpenAI.BadRequestError && error.param === "tools",
);
