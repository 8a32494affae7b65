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
)

// decodeProto writes the XML of an App Bundle, which is a message XmlNode, as text.
func decodeProto(data []byte) ([]byte, error) {
	d := &protoDecoder{}
	if err := d.node(data); err != nil {
		return nil, err
	}
	return d.out.done()
}

type protoDecoder struct{ out xmlWriter }

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
