-- Stands before each script that reads or writes the index: which of its hashes holds a settlement key (16 bytes).
-- ledger/keys.py index_bucket is the same in Python.
local function bucket_of(keys, i)
  return string.format('%x', math.floor(string.byte(keys, 16 * i - 15) / 16))
end

-- Bucket -> {keys = those of the list that belong to it, places = their places in the list, from 1}.
local function by_bucket(keys)
  local buckets = {}
  for i = 1, #keys / 16 do
    local name = bucket_of(keys, i)
    local bucket = buckets[name]
    if not bucket then
      bucket = {keys = {}, places = {}}
      buckets[name] = bucket
    end
    bucket.keys[#bucket.keys + 1] = string.sub(keys, 16 * i - 15, 16 * i)
    bucket.places[#bucket.places + 1] = i
  end
  return buckets
end
