-- A cache of strings with closures, trees, patterns and coroutines, under Lua's incremental collector.
local state = 7
local function random(n)
  state = (state * 69069 + 1) % 4294967296
  return (state >> 8) % n
end

local function grow(depth)
  if depth == 0 then return {} end
  return { left = grow(depth - 1), right = grow(depth - 1) }
end

local function size(node)
  return node.left and 1 + size(node.left) + size(node.right) or 1
end

local trees, cache, age, sum = {}, {}, {}, 0
for round = 1, 26 do
  trees[round % 6] = grow(4 + random(6))
  sum = sum + size(trees[round % 6])
  local lines = {}
  for _ = 1, 250 do
    local key = "word" .. random(3600)
    if not cache[key] then age[#age + 1] = key end
    cache[key] = { text = ("xyz"):rep(1 + random(32)), uses = 0, describe = function() return key .. "@" .. round end }
    lines[#lines + 1] = key .. ": " .. cache[key].text
    if #age > 850 then cache[table.remove(age, 1 + random(#age))] = nil end
  end
  local page = table.concat(lines, "\n")
  for key, text in page:gmatch("(%w+): (%w+)") do
    local entry = cache[key]
    if entry then
      entry.uses = entry.uses + 1
      entry.loud = text:upper()
    end
  end
  local words = {}
  for line in page:gmatch("[^\n]+") do words[#words + 1] = line:reverse() end
  table.sort(words)
  local walk = coroutine.wrap(function()
    for i = 1, 70 do coroutine.yield({ words[i], tostring(i / round) }) end
  end)
  for _ = 1, 70 do sum = sum + #walk()[2] end
end
print(sum, #age)
