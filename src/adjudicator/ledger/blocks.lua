-- Stands before scripts that read journal entries: the records of a block (JournalBlock of record.proto).
-- Returns what stands before the records, and the records, each with its tag and size; nil where it cannot be read.
local RECORD_TAG = 58 -- of JournalBlock.records

local function records_of(block)
  local byte, sub = string.byte, string.sub
  local at, size, records = 1, #block, {}
  while at <= size and byte(block, at) ~= RECORD_TAG do
    local wire_type = byte(block, at) % 8
    at = at + 1
    if wire_type == 1 then
      at = at + 8
    elseif wire_type == 0 then
      while (byte(block, at) or 0) > 127 do at = at + 1 end
      at = at + 1
    else
      return nil
    end
  end
  local head = sub(block, 1, at - 1)
  while at <= size do
    local start, length, scale, octet = at, 0, 1, byte(block, at)
    if octet ~= RECORD_TAG then return nil end
    repeat
      at = at + 1
      octet = byte(block, at) or 0
      length = length + octet % 128 * scale
      scale = scale * 128
    until octet < 128
    at = at + length + 1
    records[#records + 1] = sub(block, start, at - 1)
  end
  return head, records
end
