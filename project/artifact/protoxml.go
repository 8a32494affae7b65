package artifact

import (
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of the fields of aapt's messages (Resources.proto of aapt2).
const (
	nodeElement, nodeText                                         = 1, 2
	elementName, elementAttribute, elementChild                   = 3, 4, 5
	attributeSpace, attributeName, attributeText                  = 1, 2, 3
	attributeID, attributeItem                                    = 5, 6
	itemReference, itemString, itemRaw, itemPrimitive             = 1, 2, 3, 7
	referenceID, referenceName                                    = 2, 3
	primitiveDecimal, primitiveHex, primitiveBool, stringContents = 6, 7, 8, 1
	tablePackage, packageType, typeName, typeEntry                = 2, 3, 2, 3
	entryName, entryConfig, configValue, valueItem                = 2, 6, 2, 4
)

// decodeProto writes the XML of an App Bundle, which is a message XmlNode, as text. The
// resources that it refers to are noted in refers, unless that is nil.
func decodeProto(data []byte, refers map[string]bool) ([]byte, error) {
	d := &protoDecoder{refers: refers}
	if err := d.node(data); err != nil {
		return nil, err
	}
	return d.out.done()
}

type protoDecoder struct {
	out    xmlWriter
	refers map[string]bool
}

// fields calls visit for each field of a message: a number or bytes, by its kind.
func fields(data []byte, visit func(field protowire.Number, n uint64, raw []byte) error) error {
	for len(data) > 0 {
		field, kind, size := protowire.ConsumeTag(data)
		if size < 0 {
			return bad("a field has no tag")
		}
		data = data[size:]
		var n uint64
		var raw []byte
		switch kind {
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(data)
		case protowire.BytesType:
			raw, size = protowire.ConsumeBytes(data)
		default:
			size = protowire.ConsumeFieldValue(field, kind, data)
		}
		if size < 0 {
			return bad("the field %d is cut short", field)
		}
		data = data[size:]
		if err := visit(field, n, raw); err != nil {
			return err
		}
	}
	return nil
}

func (d *protoDecoder) node(data []byte) error {
	return fields(data, func(field protowire.Number, _ uint64, raw []byte) error {
		switch field {
		case nodeElement:
			return d.element(raw)
		case nodeText:
			return d.out.text(string(raw))
		}
		return nil
	})
}

func (d *protoDecoder) element(data []byte) error {
	name := ""
	var list []xmlAttribute
	var children [][]byte
	err := fields(data, func(field protowire.Number, _ uint64, raw []byte) error {
		switch field {
		case elementName:
			name = string(raw)
		case elementAttribute:
			a, err := protoAttribute(raw)
			list = append(list, a)
			if name, refers := strings.CutPrefix(a.value, "@"); refers && d.refers != nil {
				d.refers[name] = true
			}
			return err
		case elementChild:
			children = append(children, raw)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.out.start(name, list); err != nil {
		return err
	}
	for _, child := range children {
		if err := d.node(child); err != nil {
			return err
		}
	}
	return d.out.end()
}

func protoAttribute(data []byte) (a xmlAttribute, err error) {
	id := uint32(0)
	compiled, known := "", false
	err = fields(data, func(field protowire.Number, n uint64, raw []byte) (err error) {
		switch field {
		case attributeSpace:
			a.android = string(raw) == androidSpace
		case attributeName:
			a.name = string(raw)
		case attributeText:
			a.value = string(raw)
		case attributeID:
			id = uint32(min(n, math.MaxUint32))
		case attributeItem:
			compiled, known, err = protoItem(raw)
		}
		return err
	})
	if known {
		a.value = compiled
	}
	if name, ok := attributes[id]; ok {
		a.name, a.android = name, true
	}
	return a, err
}

// protoItem returns the text that stands for a compiled value.
func protoItem(data []byte) (text string, known bool, err error) {
	err = fields(data, func(field protowire.Number, _ uint64, raw []byte) error {
		switch field {
		case itemReference:
			text, known = protoReference(raw), true
		case itemString, itemRaw:
			return fields(raw, func(field protowire.Number, _ uint64, raw []byte) error {
				if field == stringContents {
					text, known = string(raw), true
				}
				return nil
			})
		case itemPrimitive:
			return fields(raw, func(field protowire.Number, n uint64, _ []byte) error {
				switch field {
				case primitiveBool:
					text, known = strconv.FormatBool(n != 0), true
				case primitiveDecimal:
					text, known = strconv.FormatInt(int64(int32(n)), 10), true
				case primitiveHex:
					text, known = "0x"+strconv.FormatUint(n, 16), true
				}
				return nil
			})
		}
		return nil
	})
	return text, known, err
}

// protoReference writes a reference as @type/name, without the package.
func protoReference(data []byte) string {
	name, id := "", uint64(0)
	// What cannot be read stays a reference to nothing, which no rule takes for a
	// name.
	_ = fields(data, func(field protowire.Number, n uint64, raw []byte) error {
		switch field {
		case referenceName:
			name = string(raw)
		case referenceID:
			id = n
		}
		return nil
	})
	if name == "" {
		return plain(valueReference, uint32(min(id, math.MaxUint32)))
	}
	if _, rest, ok := strings.Cut(name, ":"); ok {
		name = rest
	}
	return "@" + name
}

// protoResource is a value of a resource in an App Bundle.
type protoResource struct{ kind, name, text string }

// maxRounds bounds how often a value may refer to another.
const maxRounds = 5

// protoValues writes the values of the resources that are wanted, of a table that is a
// message ResourceTable, as a file of values: see table.valuesXML. It adds to wanted what
// values refer to.
func protoValues(data []byte, wanted map[string]bool) ([]byte, error) {
	var list []protoResource
	for range maxRounds {
		before := len(wanted)
		list = nil
		err := protoTable(data, wanted, func(r protoResource) {
			list = append(list, r)
			if name, refers := strings.CutPrefix(r.text, "@"); refers {
				wanted[name] = true
			}
		})
		if err != nil {
			return nil, err
		}
		if len(wanted) == before {
			break
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	w := &xmlWriter{}
	if err := w.start("resources", nil); err != nil {
		return nil, err
	}
	for _, r := range list {
		if err := w.value(r.kind, r.name, r.text); err != nil {
			return nil, err
		}
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	return w.done()
}

// protoTable calls visit for each value of the booleans, numbers and strings of a table
// that are wanted.
func protoTable(data []byte, wanted map[string]bool, visit func(protoResource)) error {
	return each(data, tablePackage, func(pack []byte) error {
		return each(pack, packageType, func(kind []byte) error {
			name, err := protoName(kind, typeName)
			if err != nil || name != "bool" && name != "integer" && name != "string" {
				return err
			}
			return each(kind, typeEntry, func(entry []byte) error {
				r := protoResource{kind: name}
				if r.name, err = protoName(entry, entryName); err != nil || !wanted[name+"/"+r.name] {
					return err
				}
				return protoConfigs(entry, r, visit)
			})
		})
	})
}

// protoConfigs calls visit for the value of an entry on each kind of device.
func protoConfigs(entry []byte, r protoResource, visit func(protoResource)) error {
	return each(entry, entryConfig, func(config []byte) error {
		return each(config, configValue, func(value []byte) error {
			return each(value, valueItem, func(item []byte) error {
				text, known, err := protoItem(item)
				if r.text = text; known && err == nil {
					visit(r)
				}
				return err
			})
		})
	})
}

// each calls visit for each message of a field.
func each(data []byte, wanted protowire.Number, visit func([]byte) error) error {
	return fields(data, func(field protowire.Number, _ uint64, raw []byte) error {
		if field != wanted {
			return nil
		}
		return visit(raw)
	})
}

// protoName returns the text of a field.
func protoName(data []byte, wanted protowire.Number) (name string, err error) {
	err = each(data, wanted, func(raw []byte) error {
		name = string(raw)
		return nil
	})
	return name, err
}
