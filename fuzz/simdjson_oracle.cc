/* The tree of simdjson's DOM parser, as a list. */
#include "simdjson_oracle.h"

#include <algorithm>
#include <simdjson.h>
#include <string_view>
#include <vector>

using namespace simdjson;

namespace
{

struct Document : oracle_document {
    dom::parser parser;
    std::vector<oracle_value> list;

    Document() : oracle_document{}
    {
    }
};

oracle_string string_of(Document &document, std::string_view text)
{
    document.holds_nul |= text.find('\0') != text.npos;
    return {text.data(), text.size()};
}

void put(Document &document, dom::element element, oracle_string name, unsigned depth);

void put_members(Document &document, dom::object object, unsigned depth)
{
    std::vector<std::string_view> names;
    for (auto member : object) {
        names.push_back(member.key);
        put(document, member.value, string_of(document, member.key), depth);
    }
    std::sort(names.begin(), names.end());
    document.repeats_name |= std::adjacent_find(names.begin(), names.end()) != names.end();
}

void put_scalar(Document &document, dom::element element, oracle_value &value)
{
    switch (element.type()) {
    case dom::element_type::INT64:
        value.kind = ORACLE_INTEGER;
        value.integer = static_cast<uint64_t>(element.get_int64().value_unsafe());
        break;
    case dom::element_type::UINT64:
        value.kind = ORACLE_UNSIGNED;
        value.integer = element.get_uint64().value_unsafe();
        break;
    case dom::element_type::DOUBLE:
        value.kind = ORACLE_DOUBLE;
        value.number = element.get_double().value_unsafe();
        break;
    case dom::element_type::STRING:
        value.kind = ORACLE_TEXT;
        value.text = string_of(document, element.get_string().value_unsafe());
        break;
    case dom::element_type::BOOL:
        value.kind = element.get_bool().value_unsafe() ? ORACLE_TRUE : ORACLE_FALSE;
        break;
    default:
        value.kind = ORACLE_NULL;
    }
}

void put(Document &document, dom::element element, oracle_string name, unsigned depth)
{
    size_t index = document.list.size();
    oracle_value value{};
    dom::array array;
    dom::object object;
    bool is_array = element.get_array().get(array) == SUCCESS;
    bool is_object = element.get_object().get(object) == SUCCESS;
    value.name = name;
    if (is_array || is_object) {
        value.kind = is_array ? ORACLE_ARRAY : ORACLE_OBJECT;
        document.depth = std::max(document.depth, ++depth);
    } else {
        put_scalar(document, element, value);
    }
    document.list.push_back(value);
    if (is_array)
        for (auto item : array)
            put(document, item, {nullptr, 0}, depth);
    if (is_object)
        put_members(document, object, depth);
    document.list[index].next = document.list.size();
}

oracle_refusal refusal_of(error_code error)
{
    switch (error) {
    case SUCCESS:
        return ORACLE_ACCEPTED;
    case NUMBER_ERROR:
        return ORACLE_NUMBER;
    case STRING_ERROR:
        return ORACLE_STRING;
    default:
        return ORACLE_OTHER;
    }
}

} // namespace

extern "C" struct oracle_document *oracle_parse(const char *text, size_t size)
{
    static_assert(ORACLE_MAX_DEPTH == DEFAULT_MAX_DEPTH, "the parser's own limit");
    auto *document = new Document;
    dom::element root;
    document->refusal = refusal_of(document->parser.parse(text, size).get(root));
    if (document->refusal == ORACLE_ACCEPTED)
        put(*document, root, {nullptr, 0}, 0);
    document->values = document->list.data();
    document->count = document->list.size();
    return document;
}

extern "C" void oracle_free(struct oracle_document *document)
{
    delete static_cast<Document *>(document);
}
