package backend

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
)

// object is a JSON object.
type object = map[string]any

// newSwagger describes the tables in Swagger 2.0, in the shape of the original
// (azure-mobile-apps 4.0.2, swagger/). It says what is configured: columns that
// a dynamic schema adds later are not in it.
func newSwagger(o Options) http.Handler {
	names := slices.Sorted(maps.Keys(o.TablesConfig))
	tags, paths, definitions := []object{}, object{}, object{"errorType": errorType()}
	for _, name := range names {
		t := o.TablesConfig[name]
		tags = append(tags, object{"name": name, "description": "Operations for the " + name + " table"})
		paths["/tables/"+name], paths["/tables/"+name+"/{id}"] = tablePaths(name, t)
		definitions[name] = object{"type": "object", "properties": properties(t)}
	}
	title := o.Name
	if title == "" {
		title = "Mobile App"
	}
	document, err := json.Marshal(object{
		"swagger": "2.0", "basePath": "/", "host": o.URL.Host, "schemes": []string{o.URL.Scheme},
		"consumes": []string{"application/json"}, "produces": []string{"application/json"},
		"info": object{"title": title, "version": "2.0.0"}, "tags": tags, "paths": paths, "definitions": definitions,
		"securityDefinitions": object{"EasyAuth": object{"type": "apiKey", "in": "header", "name": "x-zumo-auth"}},
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
			return
		}
		if err != nil {
			http.Error(w, "The description cannot be written.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(document)
	})
}

func errorType() object {
	return object{"type": "object",
		"properties": object{"error": object{"type": "string", "description": "The error message"}}}
}

// properties are the declared and the system columns.
func properties(t tables.Table) object {
	all := object{}
	for name, c := range t.Columns {
		all[name] = property(strings.ToLower(c.Type), false)
	}
	id := "string"
	if t.ID == "number" {
		id = "number"
	}
	all["id"] = property(id, false)
	all["createdAt"], all["updatedAt"], all["version"] = property("date", true), property("date", true),
		property("string", true)
	if t.SoftDelete {
		all["deleted"] = property("boolean", false)
	}
	if t.PerUser {
		column := t.UserColumn
		if column == "" {
			column = "userId"
		}
		all[column] = property("string", false)
	}
	return all
}

func property(typ string, readOnly bool) object {
	p := object{"type": "string"}
	switch typ {
	case "number":
		p = object{"type": "number", "format": "float"}
	case "boolean", "bool":
		p = object{"type": "boolean"}
	case "date", "datetime":
		p = object{"type": "string", "format": "date-time"}
	}
	if readOnly {
		p["readOnly"] = true
	}
	return p
}

// tablePaths describes /tables/{name} and /tables/{name}/{id}.
func tablePaths(name string, t tables.Table) (table, item object) {
	one, many := object{"$ref": "#/definitions/" + name},
		object{"type": "array", "items": object{"$ref": "#/definitions/" + name}}
	id := object{"name": "id", "description": "The record identifier", "required": true, "type": "string", "in": "path"}
	body := object{"name": "body", "description": "The item", "required": true, "schema": one, "in": "body"}
	conflict := object{"409": outcome("A concurrency violation occurred", one),
		"412": outcome("A concurrency violation occurred", one)}
	operation := func(verb, summary string, own string, responses object, parameters ...object) object {
		return describe(verb, summary, name, t, own, responses, parameters)
	}
	table = object{
		"get": operation("Query", "Query the "+name+" table", "read",
			object{"200": outcome("An array of items matching the provided query", many)}, odataParameters()...),
		"post": operation("Insert", "Insert a record into the "+name+" table", "insert",
			object{"201": outcome("The inserted item", one),
				"409": outcome("An item with the same ID already exists", one)}, body),
	}
	item = object{
		"get": operation("Find", "Find a specific record in the "+name+" table", "read",
			object{"200": outcome("The requested item", one)}, id),
		"post": operation("Undelete", "Undelete a record from the "+name+" table", "undelete",
			with(conflict, "201", outcome("The undeleted item", one)), id),
		"patch": operation("Update", "Update a record in the "+name+" table", "update",
			with(conflict, "200", outcome("The updated item", one)), id, body),
		"delete": operation("Delete", "Delete a record from the "+name+" table", "delete",
			with(conflict, "200", outcome("The deleted item", one)), id),
	}
	return table, item
}

func describe(verb, summary, name string, t tables.Table, own string, responses object,
	parameters []object) object {
	security := []object{}
	if t.AccessTo(own) == tables.Authenticated {
		security = append(security, object{"EasyAuth": []string{}})
	}
	for status, text := range map[string]string{"400": "The format of the request was incorrect",
		"404": "The table or item could not be found", "405": "The operation has been disabled",
		"500": "An internal error occurred"} {
		responses[status] = object{"description": text}
	}
	version := object{"name": "zumo-api-version", "description": "The API version", "required": true, "type": "string",
		"in": "header", "default": "2.0.0"}
	return object{"tags": []string{name}, "summary": summary,
		"operationId": verb + strings.ToUpper(name[:1]) + name[1:],
		"parameters":  append(slices.Clone(parameters), version), "responses": responses, "security": security}
}

func outcome(description string, schema object) object {
	return object{"description": description, "schema": schema}
}

func with(base object, status string, value object) object {
	all := maps.Clone(base)
	all[status] = value
	return all
}

func odataParameters() []object {
	var all []object
	for _, p := range [][3]string{{"$filter", "OData filter clause", "string"},
		{"$orderby", "OData order by clause", "string"}, {"$skip", "OData skip clause", "integer"},
		{"$top", "OData top clause", "integer"}, {"$select", "OData select clause", "string"},
		{"$inlinecount", "OData inline count clause", "string"}} {
		all = append(all, object{"name": p[0], "description": p[1], "required": false, "type": p[2], "in": "query"})
	}
	return all
}
