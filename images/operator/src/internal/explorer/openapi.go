// Package explorer shows people what the kinds have: Swagger UI over the OpenAPI of the CRDs.
package explorer

import (
	"encoding/json"
	"io/fs"

	"sigs.k8s.io/yaml"
)

// definition is what is read of a CustomResourceDefinition. (Its Go type would bring half of an API server along.)
type definition struct {
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Kind   string `json:"kind"`
			Plural string `json:"plural"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Schema struct {
				OpenAPI map[string]any `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

type object = map[string]any

// OpenAPI makes one OpenAPI 3.0 document of the CRDs in a folder.
func OpenAPI(files fs.FS) ([]byte, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	paths, schemas := object{}, object{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var crd definition
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return nil, err
		}
		add(paths, schemas, crd)
	}
	return json.Marshal(object{
		"openapi": "3.0.3",
		"info": object{
			"title": "kaos.tools", "version": "v1alpha1",
			"description": "The kinds of this operator. `kubectl explain agent.spec` tells the same.",
		},
		"paths":      paths,
		"components": object{"schemas": schemas},
	})
}

func add(paths, schemas object, crd definition) {
	kind := crd.Spec.Names.Kind
	for _, version := range crd.Spec.Versions {
		schemas[kind] = version.Schema.OpenAPI
		body := object{"application/json": object{"schema": object{"$ref": "#/components/schemas/" + kind}}}
		path := "/apis/" + crd.Spec.Group + "/" + version.Name + "/namespaces/{namespace}/" + crd.Spec.Names.Plural
		paths[path] = object{
			"parameters": []object{{"name": "namespace", "in": "path", "required": true, "schema": object{"type": "string"}}},
			"post": object{
				"tags": []string{kind}, "summary": "Creates one", "operationId": "create" + kind,
				"requestBody": object{"required": true, "content": body},
				"responses":   object{"201": object{"description": "Created", "content": body}},
			},
		}
	}
}
