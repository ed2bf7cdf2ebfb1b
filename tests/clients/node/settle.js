// A hospital system in Node: trial, settlement, the same settlement sent again, and a question for the stored answer.
// It knows the .proto files and nothing else of this project.
//
//   node settle.js ADDRESS PROTO_FOLDER CLAIM.json
"use strict";

const fs = require("node:fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [address, protoFolder, claimFile] = process.argv.slice(2);

// int64 as text: JavaScript numbers are doubles, and money is not.
const definition = loader.loadSync("adjudicator/v1/adjudication.proto", {
  includeDirs: [protoFolder],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
});
const { Adjudication } = grpc.loadPackageDefinition(definition).adjudicator.v1;
const client = new Adjudication(address, grpc.credentials.createInsecure());

function call(method, message) {
  const deadline = new Date(Date.now() + 30_000);
  return new Promise((resolve) => {
    client[method](message, { deadline }, (error, answer) =>
      resolve(error ? { status: error.code, details: error.details } : answer),
    );
  });
}

async function main() {
  const claim = JSON.parse(fs.readFileSync(claimFile, "utf8"));
  const key = {
    institution_code: claim.institution_code,
    encounter_id: claim.encounter_id,
    settlement_sequence: claim.settlement_sequence,
    insured_area: claim.insured_area,
  };
  const answers = {
    trial: await call("PreSettle", claim),
    settled: await call("Settle", claim),
    again: await call("Settle", claim),
    stored: await call("GetSettlement", key),
    other_content: await call("Settle", { ...claim, discharge_way: 2 }),
    unknown_area: await call("Settle", { ...claim, encounter_id: "ANOTHER", insured_area: "990000" }),
  };
  console.log(JSON.stringify(answers));
  client.close();
}

main();
