-- Starts `nixcfg lsp` as docs/editors.md says for older Neovims, types, and writes what it saw.
local out, program = vim.env.NIXCFG_TEST_OUT, vim.split(vim.env.NIXCFG_TEST_PROGRAM, " ")
local seen = {}

local function fail(message)
  seen.error = message
  vim.fn.writefile({ vim.json.encode(seen) }, out)
  vim.cmd("cquit 1")
end

local function codes()
  local found = {}
  for _, each in ipairs(vim.diagnostic.get(0)) do
    table.insert(found, each.code or each.user_data.lsp.code)
  end
  table.sort(found)
  return found
end

local function until_code(code)
  local function holds()
    return vim.tbl_contains(codes(), code)
  end
  if not vim.wait(30000, holds, 20) then
    fail("no " .. code .. " in " .. vim.inspect(codes()))
  end
end

local function ask(method, more)
  local params = vim.tbl_extend("force", vim.lsp.util.make_position_params(), more or {})
  local answers = vim.lsp.buf_request_sync(0, method, params, 30000) or {}
  for _, each in pairs(answers) do
    return each.result
  end
end

vim.defer_fn(function()
  local id = vim.lsp.start_client({ name = "nixcfg", cmd = program, root_dir = vim.fn.getcwd() })
  vim.lsp.buf_attach_client(0, id)
  until_code("NX201")
  seen.opened = codes()
  -- The model is in the fourth line; the provider is misspelt there.
  vim.api.nvim_buf_set_lines(0, 3, 4, true, { "    model: opnai/gpt-4o" })
  until_code("NX402")
  seen.typed = codes()
  vim.api.nvim_win_set_cursor(0, { 8, 4 })
  seen.hover = ask("textDocument/hover").contents.value
  local context = { diagnostics = {} }
  local range = { start = { line = 7, character = 0 }, ["end"] = { line = 7, character = 9 } }
  local actions = ask("textDocument/codeAction", { range = range, context = context })
  vim.lsp.util.apply_workspace_edit(actions[1].edit, "utf-16")
  seen.fixed = vim.api.nvim_buf_get_lines(0, 0, -1, true)
  vim.api.nvim_buf_set_lines(0, -1, -1, true, { "general_settings:", "  master" })
  local last = vim.api.nvim_buf_line_count(0)
  vim.api.nvim_win_set_cursor(0, { last, 7 })
  seen.offers = {}
  for _, each in ipairs(ask("textDocument/completion").items) do
    table.insert(seen.offers, each.label)
  end
  seen.saved = vim.fn.readfile(vim.api.nvim_buf_get_name(0))
  vim.fn.writefile({ vim.json.encode(seen) }, out)
  vim.cmd("qall!")
end, 10)
