"""Whether data fits case.schema.json. Written by tools/compile_schemas.py from it: change that, not this."""

SCHEMA = "sha256:f47bdc12a4d52332e7661242611605d8aee77170f3903c154dd94109cb58afa0"

import re


REGEX_PATTERNS = {
    '^/[!-~]*$': re.compile('^/[!-~]*\\Z'),
    '^[ -~]*$': re.compile('^[ -~]*\\Z'),
    '^[0-9A-Za-z_-]+$': re.compile('^[0-9A-Za-z_-]+\\Z')
}

NoneType = type(None)

def validate(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['cases']) - data.keys()
        if data__missing_keys:
            raise ValueError
        data_keys = set(data.keys())
        if "config" in data_keys:
            data_keys.remove("config")
            data__config = data["config"]
            if not isinstance(data__config, (str)):
                raise ValueError
        if "cases" in data_keys:
            data_keys.remove("cases")
            data__cases = data["cases"]
            if not isinstance(data__cases, (list, tuple)):
                raise ValueError
            data__cases_is_list = isinstance(data__cases, (list, tuple))
            if data__cases_is_list:
                data__cases_len = len(data__cases)
                if data__cases_len < 1:
                    raise ValueError
                for data__cases_x, data__cases_item in enumerate(data__cases):
                    validate____defs_case(data__cases_item)
        if data_keys:
            raise ValueError
    return data

def validate____defs_case(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['name']) - data.keys()
        if data__missing_keys:
            raise ValueError
        data_keys = set(data.keys())
        if "name" in data_keys:
            data_keys.remove("name")
            data__name = data["name"]
            if not isinstance(data__name, (str)):
                raise ValueError
            if isinstance(data__name, str):
                data__name_len = len(data__name)
                if data__name_len < 1:
                    raise ValueError
        if "config" in data_keys:
            data_keys.remove("config")
            data__config = data["config"]
            if not isinstance(data__config, (str)):
                raise ValueError
        if "vendors" in data_keys:
            data_keys.remove("vendors")
            data__vendors = data["vendors"]
            if not isinstance(data__vendors, (dict)):
                raise ValueError
            data__vendors_is_dict = isinstance(data__vendors, dict)
            if data__vendors_is_dict:
                data__vendors_keys = set(data__vendors.keys())
                for data__vendors_key in data__vendors_keys:
                    if data__vendors_key not in []:
                        data__vendors_value = data__vendors.get(data__vendors_key)
                        if not isinstance(data__vendors_value, (dict, list, tuple)):
                            raise ValueError
                        validate____defs_behaviour(data__vendors_value)
                        data__vendors_value_is_list = isinstance(data__vendors_value, (list, tuple))
                        if data__vendors_value_is_list:
                            data__vendors_value_len = len(data__vendors_value)
                            if data__vendors_value_len < 1:
                                raise ValueError
                            for data__vendors_value_x, data__vendors_value_item in enumerate(data__vendors_value):
                                if not isinstance(data__vendors_value_item, (dict)):
                                    raise ValueError
                                validate____defs_behaviour(data__vendors_value_item)
        if "request" in data_keys:
            data_keys.remove("request")
            data__request = data["request"]
            validate____defs_request(data__request)
        if "expect" in data_keys:
            data_keys.remove("expect")
            data__expect = data["expect"]
            validate____defs_expect(data__expect)
        if "steps" in data_keys:
            data_keys.remove("steps")
            data__steps = data["steps"]
            if not isinstance(data__steps, (list, tuple)):
                raise ValueError
            data__steps_is_list = isinstance(data__steps, (list, tuple))
            if data__steps_is_list:
                data__steps_len = len(data__steps)
                if data__steps_len < 1:
                    raise ValueError
                for data__steps_x, data__steps_item in enumerate(data__steps):
                    if not isinstance(data__steps_item, (dict)):
                        raise ValueError
                    data__steps_item_is_dict = isinstance(data__steps_item, dict)
                    if data__steps_item_is_dict:
                        data__steps_item__missing_keys = set(['request']) - data__steps_item.keys()
                        if data__steps_item__missing_keys:
                            raise ValueError
                        data__steps_item_keys = set(data__steps_item.keys())
                        if "request" in data__steps_item_keys:
                            data__steps_item_keys.remove("request")
                            data__steps_item__request = data__steps_item["request"]
                            validate____defs_request(data__steps_item__request)
                        if "expect" in data__steps_item_keys:
                            data__steps_item_keys.remove("expect")
                            data__steps_item__expect = data__steps_item["expect"]
                            validate____defs_expect(data__steps_item__expect)
                        if "after" in data__steps_item_keys:
                            data__steps_item_keys.remove("after")
                            data__steps_item__after = data__steps_item["after"]
                            if not isinstance(data__steps_item__after, (int, float)) or isinstance(data__steps_item__after, bool):
                                raise ValueError
                            if isinstance(data__steps_item__after, (int, float)) and not isinstance(data__steps_item__after, bool):
                                if data__steps_item__after < 0:
                                    raise ValueError
                                if data__steps_item__after > 100000000:
                                    raise ValueError
                        if "repeat" in data__steps_item_keys:
                            data__steps_item_keys.remove("repeat")
                            data__steps_item__repeat = data__steps_item["repeat"]
                            if not isinstance(data__steps_item__repeat, (int)) and not (isinstance(data__steps_item__repeat, float) and data__steps_item__repeat.is_integer()) or isinstance(data__steps_item__repeat, bool):
                                raise ValueError
                            if isinstance(data__steps_item__repeat, (int, float)) and not isinstance(data__steps_item__repeat, bool):
                                if data__steps_item__repeat < 1:
                                    raise ValueError
                                if data__steps_item__repeat > 1000:
                                    raise ValueError
                        if data__steps_item_keys:
                            raise ValueError
        if data_keys:
            raise ValueError
    return data

def validate____defs_expect(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_len = len(data)
        if data_len < 1:
            raise ValueError
        data_keys = set(data.keys())
        if "status" in data_keys:
            data_keys.remove("status")
            data__status = data["status"]
            if not isinstance(data__status, (int)) and not (isinstance(data__status, float) and data__status.is_integer()) or isinstance(data__status, bool):
                raise ValueError
        if "answered_by" in data_keys:
            data_keys.remove("answered_by")
            data__answeredby = data["answered_by"]
            if not isinstance(data__answeredby, (str)):
                raise ValueError
        if "asked" in data_keys:
            data_keys.remove("asked")
            data__asked = data["asked"]
            if not isinstance(data__asked, (dict)):
                raise ValueError
            data__asked_is_dict = isinstance(data__asked, dict)
            if data__asked_is_dict:
                data__asked_keys = set(data__asked.keys())
                for data__asked_key in data__asked_keys:
                    if data__asked_key not in []:
                        data__asked_value = data__asked.get(data__asked_key)
                        if not isinstance(data__asked_value, (int)) and not (isinstance(data__asked_value, float) and data__asked_value.is_integer()) or isinstance(data__asked_value, bool):
                            raise ValueError
                        if isinstance(data__asked_value, (int, float)) and not isinstance(data__asked_value, bool):
                            if data__asked_value < 0:
                                raise ValueError
        if "content" in data_keys:
            data_keys.remove("content")
            data__content = data["content"]
            if not isinstance(data__content, (str)):
                raise ValueError
        if "contains" in data_keys:
            data_keys.remove("contains")
            data__contains = data["contains"]
            if not isinstance(data__contains, (str)):
                raise ValueError
        if "tool" in data_keys:
            data_keys.remove("tool")
            data__tool = data["tool"]
            if not isinstance(data__tool, (str)):
                raise ValueError
        if "error" in data_keys:
            data_keys.remove("error")
            data__error = data["error"]
            if not isinstance(data__error, (str)):
                raise ValueError
        if "headers" in data_keys:
            data_keys.remove("headers")
            data__headers = data["headers"]
            if not isinstance(data__headers, (dict)):
                raise ValueError
            data__headers_is_dict = isinstance(data__headers, dict)
            if data__headers_is_dict:
                data__headers_keys = set(data__headers.keys())
                for data__headers_key in data__headers_keys:
                    if data__headers_key not in []:
                        data__headers_value = data__headers.get(data__headers_key)
                        if not isinstance(data__headers_value, (str)):
                            raise ValueError
        if "within" in data_keys:
            data_keys.remove("within")
            data__within = data["within"]
            if not isinstance(data__within, (int, float)) or isinstance(data__within, bool):
                raise ValueError
            if isinstance(data__within, (int, float)) and not isinstance(data__within, bool):
                if data__within <= 0:
                    raise ValueError
        if "guardrails" in data_keys:
            data_keys.remove("guardrails")
            data__guardrails = data["guardrails"]
            if not isinstance(data__guardrails, (list, tuple)):
                raise ValueError
            data__guardrails_is_list = isinstance(data__guardrails, (list, tuple))
            if data__guardrails_is_list:
                data__guardrails_len = len(data__guardrails)
                for data__guardrails_x, data__guardrails_item in enumerate(data__guardrails):
                    if not isinstance(data__guardrails_item, (str)):
                        raise ValueError
        if "cost" in data_keys:
            data_keys.remove("cost")
            data__cost = data["cost"]
            if not isinstance(data__cost, (int, float)) or isinstance(data__cost, bool):
                raise ValueError
        if "cached" in data_keys:
            data_keys.remove("cached")
            data__cached = data["cached"]
            if not isinstance(data__cached, (bool)):
                raise ValueError
        if "complete" in data_keys:
            data_keys.remove("complete")
            data__complete = data["complete"]
            if not isinstance(data__complete, (bool)):
                raise ValueError
        if "sent" in data_keys:
            data_keys.remove("sent")
            data__sent = data["sent"]
            if not isinstance(data__sent, (dict)):
                raise ValueError
        if data_keys:
            raise ValueError
    return data

def validate____defs_request(data):
    if not isinstance(data, (dict)):
        raise ValueError
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_keys = set(data.keys())
        if "path" in data_keys:
            data_keys.remove("path")
            data__path = data["path"]
            if not isinstance(data__path, (str)):
                raise ValueError
            if isinstance(data__path, str):
                if not REGEX_PATTERNS['^/[!-~]*$'].search(data__path):
                    raise ValueError
        if "model" in data_keys:
            data_keys.remove("model")
            data__model = data["model"]
            if not isinstance(data__model, (str)):
                raise ValueError
        if "prompt" in data_keys:
            data_keys.remove("prompt")
            data__prompt = data["prompt"]
            if not isinstance(data__prompt, (str)):
                raise ValueError
        if "messages" in data_keys:
            data_keys.remove("messages")
            data__messages = data["messages"]
            if not isinstance(data__messages, (list, tuple)):
                raise ValueError
            data__messages_is_list = isinstance(data__messages, (list, tuple))
            if data__messages_is_list:
                data__messages_len = len(data__messages)
                if data__messages_len < 1:
                    raise ValueError
                for data__messages_x, data__messages_item in enumerate(data__messages):
                    if not isinstance(data__messages_item, (dict)):
                        raise ValueError
        if "stream" in data_keys:
            data_keys.remove("stream")
            data__stream = data["stream"]
            if not isinstance(data__stream, (bool)):
                raise ValueError
        if "tags" in data_keys:
            data_keys.remove("tags")
            data__tags = data["tags"]
            if not isinstance(data__tags, (list, tuple)):
                raise ValueError
            data__tags_is_list = isinstance(data__tags, (list, tuple))
            if data__tags_is_list:
                data__tags_len = len(data__tags)
                for data__tags_x, data__tags_item in enumerate(data__tags):
                    if not isinstance(data__tags_item, (str)):
                        raise ValueError
        if "body" in data_keys:
            data_keys.remove("body")
            data__body = data["body"]
            if not isinstance(data__body, (dict)):
                raise ValueError
        if "headers" in data_keys:
            data_keys.remove("headers")
            data__headers = data["headers"]
            if not isinstance(data__headers, (dict)):
                raise ValueError
            data__headers_is_dict = isinstance(data__headers, dict)
            if data__headers_is_dict:
                data__headers_keys = set(data__headers.keys())
                for data__headers_key in data__headers_keys:
                    if data__headers_key not in []:
                        data__headers_value = data__headers.get(data__headers_key)
                        if not isinstance(data__headers_value, (str)):
                            raise ValueError
                        if isinstance(data__headers_value, str):
                            if not REGEX_PATTERNS['^[ -~]*$'].search(data__headers_value):
                                raise ValueError
                data__headers_len = len(data__headers)
                if data__headers_len != 0:
                    data__headers_property_names = True
                    for data__headers_key in data__headers:
                        try:
                            if isinstance(data__headers_key, str):
                                if not REGEX_PATTERNS['^[0-9A-Za-z_-]+$'].search(data__headers_key):
                                    raise ValueError
                        except ValueError:
                            data__headers_property_names = False
                    if not data__headers_property_names:
                        raise ValueError
        if "key" in data_keys:
            data_keys.remove("key")
            data__key = data["key"]
            if not (isinstance(data__key, str) and data__key == 'wrong' or isinstance(data__key, str) and data__key == 'none'):
                raise ValueError
        if data_keys:
            raise ValueError
    return data

def validate____defs_behaviour(data):
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_keys = set(data.keys())
        if "status" in data_keys:
            data_keys.remove("status")
            data__status = data["status"]
            if not isinstance(data__status, (int)) and not (isinstance(data__status, float) and data__status.is_integer()) or isinstance(data__status, bool):
                raise ValueError
            if isinstance(data__status, (int, float)) and not isinstance(data__status, bool):
                if data__status < 400:
                    raise ValueError
                if data__status > 599:
                    raise ValueError
        if "refuses" in data_keys:
            data_keys.remove("refuses")
            data__refuses = data["refuses"]
            if not (isinstance(data__refuses, str) and data__refuses == 'context_window' or isinstance(data__refuses, str) and data__refuses == 'content_policy'):
                raise ValueError
        if "down" in data_keys:
            data_keys.remove("down")
            data__down = data["down"]
            if not (isinstance(data__down, bool) and data__down is True):
                raise ValueError
        if "retry_after" in data_keys:
            data_keys.remove("retry_after")
            data__retryafter = data["retry_after"]
            if not isinstance(data__retryafter, (int)) and not (isinstance(data__retryafter, float) and data__retryafter.is_integer()) or isinstance(data__retryafter, bool):
                raise ValueError
            if isinstance(data__retryafter, (int, float)) and not isinstance(data__retryafter, bool):
                if data__retryafter < 0:
                    raise ValueError
        if "delay" in data_keys:
            data_keys.remove("delay")
            data__delay = data["delay"]
            if not isinstance(data__delay, (int, float)) or isinstance(data__delay, bool):
                raise ValueError
            if isinstance(data__delay, (int, float)) and not isinstance(data__delay, bool):
                if data__delay < 0:
                    raise ValueError
                if data__delay > 3600:
                    raise ValueError
        if "cut" in data_keys:
            data_keys.remove("cut")
            data__cut = data["cut"]
            if not isinstance(data__cut, (int)) and not (isinstance(data__cut, float) and data__cut.is_integer()) or isinstance(data__cut, bool):
                raise ValueError
            if isinstance(data__cut, (int, float)) and not isinstance(data__cut, bool):
                if data__cut < 0:
                    raise ValueError
        if "body" in data_keys:
            data_keys.remove("body")
            data__body = data["body"]
            if not isinstance(data__body, (str, dict, list, tuple)):
                raise ValueError
        if "says" in data_keys:
            data_keys.remove("says")
            data__says = data["says"]
            if not isinstance(data__says, (str, list, tuple)):
                raise ValueError
            data__says_is_list = isinstance(data__says, (list, tuple))
            if data__says_is_list:
                data__says_len = len(data__says)
                if data__says_len < 1:
                    raise ValueError
                for data__says_x, data__says_item in enumerate(data__says):
                    if not isinstance(data__says_item, (str)):
                        raise ValueError
        if "tool" in data_keys:
            data_keys.remove("tool")
            data__tool = data["tool"]
            if not isinstance(data__tool, (dict)):
                raise ValueError
            data__tool_is_dict = isinstance(data__tool, dict)
            if data__tool_is_dict:
                data__tool__missing_keys = set(['name']) - data__tool.keys()
                if data__tool__missing_keys:
                    raise ValueError
                data__tool_keys = set(data__tool.keys())
                if "name" in data__tool_keys:
                    data__tool_keys.remove("name")
                    data__tool__name = data__tool["name"]
                    if not isinstance(data__tool__name, (str)):
                        raise ValueError
                if "arguments" in data__tool_keys:
                    data__tool_keys.remove("arguments")
                    data__tool__arguments = data__tool["arguments"]
                    if not isinstance(data__tool__arguments, (dict)):
                        raise ValueError
                if data__tool_keys:
                    raise ValueError
        if "tokens" in data_keys:
            data_keys.remove("tokens")
            data__tokens = data["tokens"]
            if not isinstance(data__tokens, (dict)):
                raise ValueError
            data__tokens_is_dict = isinstance(data__tokens, dict)
            if data__tokens_is_dict:
                data__tokens_keys = set(data__tokens.keys())
                if "prompt" in data__tokens_keys:
                    data__tokens_keys.remove("prompt")
                    data__tokens__prompt = data__tokens["prompt"]
                    if not isinstance(data__tokens__prompt, (int)) and not (isinstance(data__tokens__prompt, float) and data__tokens__prompt.is_integer()) or isinstance(data__tokens__prompt, bool):
                        raise ValueError
                    if isinstance(data__tokens__prompt, (int, float)) and not isinstance(data__tokens__prompt, bool):
                        if data__tokens__prompt < 0:
                            raise ValueError
                if "completion" in data__tokens_keys:
                    data__tokens_keys.remove("completion")
                    data__tokens__completion = data__tokens["completion"]
                    if not isinstance(data__tokens__completion, (int)) and not (isinstance(data__tokens__completion, float) and data__tokens__completion.is_integer()) or isinstance(data__tokens__completion, bool):
                        raise ValueError
                    if isinstance(data__tokens__completion, (int, float)) and not isinstance(data__tokens__completion, bool):
                        if data__tokens__completion < 0:
                            raise ValueError
                if data__tokens_keys:
                    raise ValueError
        if "times" in data_keys:
            data_keys.remove("times")
            data__times = data["times"]
            if not isinstance(data__times, (int)) and not (isinstance(data__times, float) and data__times.is_integer()) or isinstance(data__times, bool):
                raise ValueError
            if isinstance(data__times, (int, float)) and not isinstance(data__times, bool):
                if data__times < 1:
                    raise ValueError
        if data_keys:
            raise ValueError
    return data


check = validate
